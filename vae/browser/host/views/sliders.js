// Sliders and a pad over the code, and a traversal of each dimension.
import { traversal } from '../../runtime/paths.js';
import { mount as mountPanel } from '../../widgets/live_panel/live_panel.js';
import { mount as mountGrid } from '../../widgets/picture_grid/picture_grid.js';
import { button, made } from '../elements.js';
import { createImageInput, encode } from '../image_input.js';
import { downloadPng, gridProps, tile } from '../pictures.js';

const SHOWN_FIRST = 6; // sliders before "show all"
const STEPS = 9; // pictures in a strip
const MIN_LISTED_KL = 0.1; // nats, of a dimension with a strip of its own
const NOT_FINITE = 'This model returns a value that is not a finite number for this image, so z stays as it is.';

export const view = {
  name: 'sliders', title: 'Sliders', 
  sentence: ({ network }, { noun }) => `This model compresses ${noun} into ${network.latent_dim} numbers, the latent code z. Drag a slider or click in the square, and the image changes.`,
  terms: ['latent-code', 'dimension', 'kl', 'nat', 'prior', 'traversal'],
  parts: { panel: '.panel', picture: '.stage' },
  serves: () => '',
  show,
};

function show(element, host) {
  const panel = { version: 0, echo: { panel: '', commit: 0 } };
  const place = made('div'), classes = made('div'), strips = made('div'), start = createStart(host), { model } = host;
  element.append(
    place, made('div', { className: 'row' },
      button('Image (PNG)', () => downloadPng(tile([host.decode(host.place.z)], 1, host.shape), `${model.name}.png`, host.credit))),
    start.element,
    ...(model.classes.length ? [made('h3', { textContent: 'This z in every class' }), classes] : []),
    made('h3', { textContent: 'One dimension at a time' }), strips,
    made('p', { className: 'caption', textContent: 'Each row is a traversal: it changes one dimension of this z, over the middle 95 % of the encoded data. Pick an image to use its z.' }),
  );
  const widget = mountPanel(place, panelProps(host, panel), (event, value) => receive(host, panel, event, value), host.mailbox);
  let rows = stripsOf(host);
  const grid = mountGrid(strips, rows.props, (_, i) => host.set({ z: keepLocked(host, rows.zs[i]) }));
  const classGrid = model.classes.length && mountGrid(classes, classProps(host), (_, y) => host.set({ y }));
  return {
    update() {
      panel.version += 1;
      widget.update(panelProps(host, panel));
      rows = stripsOf(host);
      grid.update(rows.props);
      if (classGrid) classGrid.update(classProps(host));
      start.update();
    },
    destroy() {
      widget.destroy();
      grid.destroy();
      if (classGrid) classGrid.destroy();
      start.destroy();
    },
  };
}

// A fold with an image input, which begins when the visitor opens it. An image that he chooses sets z to the mean of its
// posterior.
function createStart(host) {
  const place = made('div'), warning = made('p', { role: 'alert' }), options = { key: 'sliders_start', name: 'image to start from' };
  let input = null;
  const point = (image) => {
    const z = encode(host, image);
    warning.textContent = z ? '' : NOT_FINITE;
    return z ? { z, ...(image.y === null ? {} : { y: image.y }) } : {};
  };
  const ontoggle = () => (input ??= createImageInput(place, host, { ...options, point }));
  return {
    element: made('details', { ontoggle }, made('summary', { textContent: 'Start from an image' }), place, warning),
    update: () => input?.update(),
    destroy: () => input?.destroy(),
  };
}

function panelProps({ model, place, id, shape, names, locked, credit }, { version, echo }) {
  return {
    model: model.name, weights: id, files: null, ...shape, z: place.z, y: place.y, version, echo,
    dims: model.dims.map((dim) => ({ ...dim, name: names.get(dim.index) ?? '', locked: locked.has(dim.index) })),
    shown_first: Object.keys(model.levels).length ? SHOWN_FIRST / 2 : SHOWN_FIRST, start: model.start,
    classes: model.classes, levels: Object.keys(model.levels), attributes: [], licence: credit, host_undoes: false,
    pixels: '', painted: '', note: '', no_number: 'This model returns a value that is not a finite number at this z, so there is nothing to show.',
  };
}

function receive(host, panel, event, value) {
  if (event === 'commit') {
    panel.echo = { panel: value.panel, commit: value.commit };
    host.set({ z: value.z, y: value.y });
  } else if (event === 'ask') {
    host.navigation.ask?.(value);
  } else if (event === 'rename') {
    host.names.set(value.index, value.name);
    host.changed();
  } else if (event === 'lock') {
    host.locked[value.locked ? 'add' : 'delete'](value.index);
    host.changed();
  } else if (event === 'random') {
    const seed = host.place.seed + 1, [sample] = host.samples(1, seed), dims = host.model.levels[value.level];
    const z = dims ? host.place.z.map((old, d) => (dims.includes(d) ? sample[d] : old)) : sample;
    host.set({ seed, z: keepLocked(host, z) });
  }
}

const keepLocked = ({ locked, place }, z) => z.map((value, d) => (locked.has(d) ? place.z[d] : value));

function stripsOf(host) {
  const { model, place, shape } = host;
  const active = model.dims.filter(({ kl }) => kl === null || kl > MIN_LISTED_KL);
  const dims = active.length ? active : model.dims.slice(0, 1);
  const zs = dims.flatMap(({ index }) => traversal(place.z, index, model.strips[index], STEPS));
  const props = gridProps(zs.map((z) => host.decode(z)), shape, {
    labels: zs.map((z, i) => `${host.dimName(dims[Math.floor(i / STEPS)].index)} = ${z[dims[Math.floor(i / STEPS)].index].toFixed(2)}`),
    columns: STEPS, size: 84, name: 'traversals',
    row_labels: dims.map(({ index, kl }) => host.dimName(index) + (kl === null ? '' : `\n${kl.toFixed(2)} nats`)),
  });
  return { zs, props };
}

function classProps(host) {
  const { model, place, shape } = host;
  return gridProps(model.classes.map((_, y) => host.decode(place.z, y)), shape, {
    labels: model.classes.map((name) => `class ${name}`), size: 64, selected: place.y, name: 'this z in every class',
  });
}
