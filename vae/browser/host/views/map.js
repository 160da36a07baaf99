// Encoded test images in two dimensions; every position decodes to an image.
import { readMessage } from '../../runtime/mailbox.js';
import { mount as mountGrid } from '../../widgets/picture_grid/picture_grid.js';
import { mount as mountPicture } from '../../widgets/point_picture/point_picture.js';
import { along, codeOf, inverseTransform, nearest, positionsOf, transform } from '../../widgets/scatter/layout.js';
import { mount as mountScatter } from '../../widgets/scatter/scatter.js';
import { button, made, select } from '../elements.js';
import { createGrid, downloadGif, downloadPng, gridProps, pixelsOf, sheetProps, tile } from '../pictures.js';

const NEAREST = 8; // test images
const SELECTED_SHOWN = 12; // thumbnails of a lasso
const FRAMES = 16; // pictures along a path
const SAME_CODE = 1e-3; // codes nearer than this are equal: links round z
const TAIL = 0.02; // of the values, beyond each end of a colour scale
const RECON = 'reconstruction error';

export const view = {
  name: 'map', title: 'Map',
  sentence: 'Tap or click the map to see what a position decodes to, and to use its code. Draw a path to see the images along it.',
  terms: ['latent-code', 'dimension', 'reconstruction', 'posterior', 'umap', 'pca', 'trustworthiness'],
  parts: { map: '.stage' },
  serves: (model) => (model.map ? '' : 'it has no encoded test images'),
  show,
};

function show(element, host) {
  const { model, place } = host, points = host.mailbox.collections.get(model.map.collection), sheet = sheetOf(host, points);
  const kinds = kindsOf(model), [across, up] = model.order;
  // dims: of the layout of two dimensions. clicked: the code and the position of the last click. path: on a layout
  const map = { host, points, sheet, kinds, dims: [across, up ?? across], clicked: null, path: null };
  Object.defineProperty(map, 'chosen', { get: () => host.chosen });
  const set = (name) => (value) => host.set({ settings: { ...place.settings, [name]: value } });
  const dimOptions = model.order.map((d) => [d, host.dimName(d)]);
  const axes = ['Across', 'Up'].map((name, i) => select(name, dimOptions, map.dims[i], (d) => chooseDim(map, i, Number(d))));
  const stage = made('div'), picture = made('div', { className: 'current' }), near = made('div'), caption = made('p', { className: 'caption' });
  const path = pathSection(map), selection = selectionSection(map);
  element.append(
    made('div', { className: 'columns' },
      made('div', {}, stage, caption),
      made('div', {},
        made('div', { className: 'row' },
          select('Layout', Object.entries(kinds), kindOf(map), set('map_kind')), ...axes,
          select('Colour', [['class', 'class'], [RECON, RECON], ...model.order.map((d) => [`z${d}`, host.dimName(d)])], colourBy(map), set('map_colour'))),
        picture, made('h3', { textContent: 'Nearest test images' }), near,
        made('p', { className: 'caption', textContent: 'By distance in latent space from the current z. Pick one to use its code.' }))),
    path.element, selection.element,
  );
  const receive = { pick: (value) => pick(map, value), lasso: ({ indices }) => choose(map, indices), path: ({ places }) => walk(map, places), ask: (question) => host.navigation.ask?.(question) };
  let shown = shownOf(map);
  const scatter = mountScatter(stage, scatterProps(map, shown), (event, value) => receive[event]?.(value), host.mailbox);
  const current = mountPicture(picture, pictureProps(host), () => {}, host.mailbox);
  const grid = mountGrid(near, nearProps(map, shown), (_, i) => goTo(map, shown.near[i].p));
  const showRest = () => {
    caption.textContent = captionOf(map, shown);
    axes.forEach((label, i) => {
      label.hidden = !shown.layout.dims || model.order.length === 2;
      label.querySelector('select').value = map.dims[i];
    });
    path.show(shown.layout);
    selection.show();
  };
  showRest();
  return {
    update() {
      shown = shownOf(map);
      scatter.update(scatterProps(map, shown));
      current.update(pictureProps(host));
      grid.update(nearProps(map, shown));
      showRest();
    },
    destroy() {
      for (const widget of [scatter, current, grid, path, selection]) widget.destroy();
      if (sheet) URL.revokeObjectURL(sheet.url);
    },
  };
}

// Returns the thumbnails of the points, null where the file has none: { url, width, height, across, down }.
function sheetOf({ thumbnails }, points) {
  if (!thumbnails) return null;
  const { header, payload } = readMessage(thumbnails);
  if (header.sheet !== points.sheet_name) return null;
  return { ...header, down: Math.ceil(points.n / header.across), url: URL.createObjectURL(new Blob([payload], { type: header.type })) };
}

// ---- the layout

function kindsOf({ map, order }) {
  const fitted = Object.fromEntries(map.layouts.map(({ key, title }) => [key, title]));
  if (order.length < 2) return fitted;
  return order.length === 2 ? { dims: 'Latent plane', ...fitted } : { ...fitted, dims: 'Two dimensions' };
}

function kindOf({ host, kinds }) {
  const { map_kind: asked } = host.place.settings;
  return Object.hasOwn(kinds, asked ?? '') ? asked : Object.keys(kinds)[0];
}

function layoutOf(map) {
  const { host } = map, kind = kindOf(map), [across, up] = host.model.order.length === 2 ? [0, 1] : map.dims;
  if (kind !== 'dims') return host.model.map.layouts.find(({ key }) => key === kind);
  const axis = (dim) => host.place.z.map((_, d) => Number(d === dim));
  return {
    key: `dims ${across} ${up}`, title: map.kinds.dims, dims: [across, up], k: 0,
    origin: host.place.z.map((v, d) => (d === across || d === up ? 0 : v)), axes: [axis(across), axis(up)],
  };
}

// Makes a dimension an axis; if it is the other axis, the two change places.
function chooseDim(map, i, d) {
  if (map.dims[1 - i] === d) map.dims[1 - i] = map.dims[i];
  map.dims[i] = d;
  map.host.changed();
}

// Returns what the map shows: the layout, the position of the current z, and the points nearest to it.
function shownOf(map) {
  const { host: { place: { z } }, points, clicked } = map, layout = layoutOf(map), positions = positionsOf(points, layout);
  const near = nearest(points.codes, z, NEAREST), [{ p, squared }] = near;
  let here = transform(points, layout, positions, z);
  if (!layout.axes && clicked?.z === z && clicked.key === layout.key) here = clicked.position;
  else if (!layout.axes && squared < SAME_CODE ** 2) here = [positions[2 * p], positions[2 * p + 1]];
  return { layout, positions, near, here };
}

// ---- the widgets

function scatterProps({ host, points, chosen, path }, { layout, here, near }) {
  const { model, place, id, data, shape } = host;
  return {
    model: model.name, weights: id, files: null, collection: points.collection, layout,
    colouring: colouring(host, points, colourBy({ host })), classes: data.classes, colours: data.colours, current: here, marks: [],
    near: near.map(({ p }) => p), chosen, path: path?.key === layout.key ? path.places : [], z: place.z, y: place.y,
    classes_matter: model.classes.length > 0, ...shape, no_number: 'This model returns a value that is not a finite number here.',
  };
}

function colourBy({ host: { place, model } }) {
  const { map_colour: asked } = place.settings;
  return asked === RECON || model.order.some((d) => `z${d}` === asked) ? asked : 'class';
}

function colouring(host, points, by) {
  if (by === 'class') return { kind: 'class' };
  const { ramps } = host.content.header, dim = by === RECON ? null : Number(by.slice(1));
  const values = dim === null ? points.recon : points.codes.filter((_, i) => i % points.dims === dim);
  const sorted = values.filter(Number.isFinite).sort(), at = (share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const ends = [at(TAIL), at(1 - TAIL)], limit = Math.max(-ends[0], ends[1]); // values of z have a sign: 0 is the middle
  const [low, high] = dim === null ? ends : [-limit, limit];
  return { kind: 'value', dim, low, high, ramp: dim === null ? ramps.magnitude : ramps.signed, title: dim === null ? `${RECON}, nats` : host.dimName(dim) };
}

function pictureProps(host) {
  const { id, place, shape } = host;
  return { weights: id, files: null, z: place.z, y: place.y, ...shape, caption: 'the current z, decoded', pixels: pixelsOf(host), no_number: 'This model returns a value that is not a finite number at this z.' };
}

function nearProps(map, { near }) {
  const distances = near.map(({ squared }) => Math.sqrt(squared).toFixed(2));
  return pointProps(map, near.map(({ p }) => p), {
    columns: 4, captions: distances, name: 'nearest test images', detail: (i) => `, distance ${distances[i]}`,
  });
}

// Returns the props of a grid of points: their thumbnails, or their codes decoded. detail(i): the end of a label
function pointProps({ host, points, sheet }, indices, { detail = () => '', ...options }) {
  const { data, shape } = host;
  const labels = indices.map((p, i) => `${data.classes[points.labels[p]]}, test image ${points.rows[p]}${detail(i)}`);
  if (sheet) return sheetProps(sheet, indices, { labels, ...options });
  return gridProps(indices.map((p) => host.decode(codeOf(points, p), points.ys[p])), shape, { labels, ...options });
}

function captionOf({ host: { model, data }, points }, { layout }) {
  const { details } = model.map, parts = [`${points.n.toLocaleString('en')} test images of ${data.title}, each at its ${model.centre}.`];
  const trust = details.trustworthiness?.[layout.key];
  if (trust !== undefined) parts.push(`Trustworthiness ${trust.toFixed(3)}, where 1 means no false neighbours, measured on ${details.points.toLocaleString('en')} images.`);
  if (layout.key.startsWith('umap')) {
    parts.push('Distances on the map are not distances in latent space.', `Between images, a position decodes the mean of the ${layout.k} nearest codes, weighted by 1/distance².`,
      `The ring of any other z is an estimate: the weighted mean position of its ${layout.k} nearest codes.`,
      ...(layout.error === null ? [] : [`The median error of that is ${(100 * layout.error).toPrecision(2)} % of the map's width.`]));
  } else if (layout.key === 'pca') parts.push('A position decodes the mean code, moved along the first two principal components.');
  else parts.push(model.order.length === 2 ? 'Each position is a latent code.' : 'A position is the current z with these two dimensions changed.');
  return [...parts, `Lines lead from the current z to its ${NEAREST} nearest images.`].join(' ');
}

// ---- what the visitor does

function goTo({ host, points }, p) {
  host.set({ z: codeOf(points, p), y: classFor(host, points.ys[p]) });
}

const classFor = ({ model, place }, y) => (model.classes.length ? y : place.y);

const codeAt = ({ points }, { layout, positions }, position, y) => inverseTransform(points, layout, positions, position, y);

function goToPosition(map, position) {
  const { host } = map, shown = shownOf(map), { z, y } = codeAt(map, shown, position, host.place.y);
  map.clicked = { z, key: shown.layout.key, position };
  host.set({ z, y: classFor(host, y) });
}

function pick(map, { index, place }) {
  if (index === undefined) goToPosition(map, place);
  else goTo(map, index);
}

// Keeps a path and makes its end the current z.
function walk(map, places) {
  map.path = { key: shownOf(map).layout.key, places };
  goToPosition(map, places.at(-1));
}

// Selects points and makes their mean code the current z.
function choose(map, indices) {
  map.host.select(indices);
  if (indices.length) useMean(map);
}

function useMean(map) {
  const { z, typical } = meanOf(map);
  map.host.set({ z, y: classFor(map.host, map.points.ys[typical[0]]) });
}

// Returns the mean code of the selected points, and these points, nearest to it first.
function meanOf({ points, chosen }) {
  const z = new Array(points.dims).fill(0), codes = chosen.map((p) => codeOf(points, p));
  for (const code of codes) code.forEach((value, d) => (z[d] += value / codes.length));
  const ranked = nearest(codes.flat(), z, chosen.length);
  return { z, typical: ranked.map(({ p }) => chosen[p]) };
}

// ---- the sections below

// A section that has a grid of pictures while there is something to show. pick(i) is called with an index.
function createSection(title, buttons, pick) {
  const place = made('div'), caption = made('p', { className: 'caption' }), heading = made('h3', { textContent: title });
  const element = made('section', { hidden: true }, heading, made('div', { className: 'row' }, ...buttons), place, caption);
  const grid = createGrid(place, pick);
  return {
    element, heading, caption,
    show(props) {
      element.hidden = !props;
      if (props) grid.show(props);
    },
    destroy: grid.destroy,
  };
}

function pathSection(map) {
  const { host } = map;
  let stops, images;
  const { show: showGrid, element, caption, destroy } = createSection('Along your path', [
    button('Animation (GIF)', () => downloadGif(images, host.shape, `${host.model.name}-path.gif`, host)),
    button('Images (PNG)', () => downloadPng(tile(images, FRAMES, host.shape), `${host.model.name}-path.png`, host.credit)),
    button('Clear', () => {
      map.path = null;
      host.changed();
    }),
  ], (i) => goToPosition(map, stops[i]));
  return {
    element, destroy,
    show(layout) {
      if (map.path?.key !== layout.key) return showGrid(null);
      const shown = shownOf(map);
      stops = along(map.path.places, FRAMES);
      images = stops.map((stop) => codeAt(map, shown, stop, host.place.y)).map(({ z, y }) => host.decode(z, classFor(host, y)));
      caption.textContent = `${FRAMES} positions at equal steps along the path, decoded. Pick a step to use its code.`;
      return showGrid(gridProps(images, host.shape, {
        labels: stops.map((_, i) => `step ${i + 1} of ${FRAMES}`), columns: FRAMES / 2, size: 120, wrap: true, name: 'images along the path',
      }));
    },
  };
}

function selectionSection(map) {
  const { host, points } = map, { classes } = host.data;
  let typical;
  const { show: showGrid, element, heading, caption, destroy } = createSection('', [
    button('Use their mean code', () => useMean(map)), button('Clear', () => choose(map, [])),
  ], (i) => goTo(map, typical[i]));
  return {
    element, destroy,
    show() {
      if (!map.chosen.length) return showGrid(null);
      typical = meanOf(map).typical.slice(0, SELECTED_SHOWN);
      heading.textContent = `Selected: ${map.chosen.length.toLocaleString('en')} of ${points.n.toLocaleString('en')} images`;
      const counts = classes.map((name, label) => [name, map.chosen.filter((p) => points.labels[p] === label).length]);
      const found = counts.filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
      caption.textContent = `By class: ${found.map(([name, count]) => `${name}: ${count}`).join(', ')}. The images shown are the ${typical.length} nearest to the mean code.`;
      return showGrid(pointProps(map, typical, { size: 72, name: 'selected test images' }));
    },
  };
}
