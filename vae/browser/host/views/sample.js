// A grid of samples from the prior.
import { mount as mountGrid } from '../../widgets/picture_grid/picture_grid.js';
import { button, made, range } from '../elements.js';
import { within } from '../numbers.js';
import { downloadPng, gridProps, indexOfCode, tile } from '../pictures.js';

const COUNT = 36, COLUMNS = 6;

export const view = {
  name: 'sample', title: 'Sample', sentence: 'Sample from the prior, then pick an image. Every other view continues from it.',
  terms: ['prior', 'temperature'],
  parts: { samples: '.grid' },
  serves: () => '',
  show,
};

function show(element, host) {
  const { model, shape, place } = host, { prior } = model;
  const temperature = () => within(place.settings.sample_temperature, 0, 2, 1);
  const grid = made('div'), caption = made('p', { className: 'caption' });
  let zs, images;
  const draw = () => {
    zs = host.samples(COUNT, place.seed, temperature());
    images = zs.map((z) => host.decode(z));
    const spread = prior.gaussian ? ` The temperature multiplies its standard deviation: ${temperature()}.` : '';
    caption.textContent = `${COUNT} samples from p(z) = ${prior.name}.${spread} Seed ${place.seed}.`;
    return gridProps(images, shape, {
      labels: zs.map((_, i) => `sample ${i + 1} of ${COUNT}, seed ${place.seed}`), columns: COLUMNS, size: 110, name: 'samples from the prior',
      selected: indexOfCode(zs, place.z),
    });
  };
  element.append(
    made('div', { className: 'row' },
      button('Sample again', () => host.set({ seed: place.seed + 1 }), { className: 'primary' }),
      ...(prior.gaussian ? [range('Temperature', { min: 0, max: 2, step: 0.05, value: temperature() }, (value) => host.set({ settings: { ...place.settings, sample_temperature: value } }))] : []),
      button('Grid (PNG)', () => downloadPng(tile(images, COLUMNS, shape), `${model.name}-seed${place.seed}.png`, host.credit))),
    grid, caption,
  );
  const widget = mountGrid(grid, draw(), (_, i) => host.set({ z: zs[i] }));
  return { update: () => widget.update(draw()), destroy: () => widget.destroy() };
}
