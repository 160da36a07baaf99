// The walk between the codes of two images, beside a cross-fade of their pixels.
import { lerp, slerp, stepsOf } from '../../runtime/paths.js';
import { button, choices, made, range, select, toggle } from '../elements.js';
import { createImageInput, encode } from '../image_input.js';
import { within } from '../numbers.js';
import { createGrid, downloadGif, downloadPng, gridProps, indexOfCode, tile } from '../pictures.js';

const PATHS = {
  'Straight (lerp)': { path: lerp, formula: 'z(t) = (1 − t) a + t b' },
  'Great arc (slerp)': { path: slerp, formula: 'the direction turns along a great arc, and the length changes linearly' },
};
const MIN_STEPS = 3, MAX_STEPS = 15, FIRST_STEPS = 9;
const MARGIN = 0.25; // of t, beyond both ends
const SECOND_ROW = 2; // of the test split, in use as B at first

export const view = {
  name: 'interpolate', title: 'Interpolate', sentence: 'Choose two images below, or bring your own. The model turns one into the other.',
  terms: ['baseline'],
  parts: { path: '.grid' },
  serves: () => '',
  show,
};

function show(element, host) {
  const { data, model, place } = host, { line, steps, beyond } = settingsOf(host);
  const change = (changes) => host.set({ settings: { ...place.settings, ...changes } });
  const walk = made('div'), warning = made('p', { role: 'alert' }), places = ['A', 'B'].map(() => made('div'));
  const shown = createWalk(walk, host);
  element.append(
    walk, warning,
    made('div', { className: 'row' },
      choices('Path', Object.keys(PATHS).map((key) => [key, key]), line, (key) => change({ interpolate_line: key })),
      range('Steps', { min: MIN_STEPS, max: MAX_STEPS, step: 1, value: steps }, (value) => change({ interpolate_steps: value })),
      toggle('Go beyond both ends', beyond, (checked) => change({ interpolate_beyond: checked })),
      ...(model.classes.length ? [select('Class of every step', model.classes.map((name, y) => [y, name]), place.y, (y) => host.set({ y: Number(y) }))] : []),
      ...shown.exports),
    made('div', { className: 'pair' }, ...places),
  );
  const starts = [data.rows[0], data.rows.includes(SECOND_ROW) ? SECOND_ROW : data.rows[1]];
  const inputs = ['A', 'B'].map((name, i) => createImageInput(places[i], host, { key: `interpolate_${name}`, name: `image ${name}`, start: starts[i] }));
  const draw = () => {
    const images = inputs.map((input) => input.image()), codes = images.map((image) => encode(host, image));
    const missing = ['A', 'B'].filter((_, i) => !codes[i]);
    warning.textContent = missing.length ? `This model returns a value that is not a finite number for image ${missing.join(' and image ')}, so there is nothing to show.` : '';
    shown.draw(missing.length ? null : walkOf(host, codes, images));
  };
  draw();
  return {
    update() {
      inputs.forEach((input) => input.update());
      draw();
    },
    destroy() {
      inputs.forEach((input) => input.destroy());
      shown.destroy();
    },
  };
}

function settingsOf({ place: { settings } }) {
  const steps = within(settings.interpolate_steps, MIN_STEPS, MAX_STEPS, FIRST_STEPS);
  return {
    line: Object.hasOwn(PATHS, settings.interpolate_line) ? settings.interpolate_line : Object.keys(PATHS)[0],
    steps: Number.isInteger(steps) ? steps : FIRST_STEPS,
    beyond: String(settings.interpolate_beyond) === 'true',
  };
}

// Returns { ts, zs, frames, fades, formula } of the walk between two codes, and between the pixels of their images.
function walkOf(host, [a, b], images) {
  const { line, steps, beyond } = settingsOf(host), { path, formula } = PATHS[line];
  const ts = stepsOf(steps, beyond ? MARGIN : 0), zs = ts.map((t) => path(a, b, t));
  const fades = ts.map((t) => lerp(images[0].x, images[1].x, t).map((value) => Math.max(0, Math.min(1, value))));
  return { ts, zs, frames: zs.map((z) => host.decode(z)), fades, formula };
}

// The pictures of a walk, and the buttons that save them. draw(null) hides them.
function createWalk(element, host) {
  const { model, shape, place, credit } = host;
  const places = [made('div'), made('div')], caption = made('p', { className: 'caption' });
  const grids = places.map((one) => createGrid(one, (step) => host.set({ z: walk.zs[step] })));
  let walk;
  element.append(
    places[0], caption, places[1],
    made('p', { className: 'caption', textContent: 'Baseline: a cross-fade of the same two images, pixel by pixel, without a model.' }),
  );
  const exports = [
    button('Animation (GIF)', () => downloadGif(walk.frames, shape, `${model.name}-interpolation.gif`, host)),
    button('Images (PNG)', () => downloadPng(tile([...walk.frames, ...walk.fades], walk.ts.length, shape), `${model.name}-interpolation.png`, credit)),
  ];
  const props = () => {
    const { ts, zs, frames, fades } = walk, labels = ts.map((t, i) => `step ${i + 1}: t = ${t.toFixed(2)}`);
    const options = { columns: ts.length, size: 150, wrap: true };
    return [
      gridProps(frames, shape, { ...options, labels, name: 'interpolation in latent space', selected: indexOfCode(zs, place.z) }),
      gridProps(fades, shape, { ...options, labels: labels.map((label) => `cross-fade, ${label}`), name: 'cross-fade of the pixels', clickable: false }),
    ];
  };
  return {
    exports,
    draw(next) {
      walk = next;
      element.hidden = !walk;
      exports.forEach((one) => (one.disabled = !walk));
      if (!walk) return;
      const ofClass = model.classes.length ? `Every step is of class ${model.classes[place.y]}; only z changes. ` : '';
      caption.textContent = `Decoded from latent space: ${walk.formula}. ${ofClass}Pick a step to make it the current z.`;
      props().forEach((one, i) => grids[i].show(one));
    },
    destroy: () => grids.forEach((grid) => grid.destroy()),
  };
}
