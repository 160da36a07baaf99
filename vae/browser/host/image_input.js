// An image for a model in a host without a server: a test image, or a picture of the visitor's, which stays in the page.
import { fromBase64, toBase64 } from '../runtime/base64.js';
import { mostLikelyClass } from '../runtime/forward_pass.js';
import { channelsLast } from '../runtime/pixels.js';
import { mount as mountWidget } from '../widgets/picture_input/picture_input.js';
import { made, select } from './elements.js';
import { gridProps } from './pictures.js';

const GALLERY_SIZE = 12; // test images shown at once
const SENT = 'Your picture stays in this page: nothing is sent.';
const ALTERED = 'This browser alters the pixels that a page reads, so it cannot open photos and files here. You can draw.';

// key: the name of the setting that chooses a test image, by its row in the test split. start: the row in use at first.
// draws: whether the visitor can draw here. point(image): what else changes with the visitor's choice, as host.set takes
// it. Another image shows the place again, which calls the view's update; that calls update() here.
// Returns { image(), update(), destroy() }. An image is { x, y, bytes, caption, source }: x (H * W * C) in [0, 1], bytes
// (C * H * W), y a class of a conditional model, else null; two images with the same source are the same.
export function createImageInput(element, host, { key, name, start = host.data.rows[0], draws = true, point = () => ({}) }) {
  const place = made('div'), classes = made('div', { className: 'row' });
  const input = { host, key, name, start, draws, point, place, classes, page: 0, rows: null, gallery: null, answer: null, widget: null };
  element.append(place, classes);
  input.widget = mountWidget(place, propsOf(input), (event, value) => RECEIVE[event](input, value), host.mailbox);
  showClasses(input);
  return {
    image: () => imageOf(input),
    update: () => update(input),
    destroy() {
      input.widget.destroy();
      element.replaceChildren();
    },
  };
}

function update(input) {
  input.widget.update(propsOf(input));
  showClasses(input);
}

// Returns the mean of q(z|x) of an image (D), null where a value of it is not finite.
export function encode({ decoder, answers }, image) {
  if (answers) return answers.encode(image);
  const { x, y } = image, mean = Array.from(decoder.encode(x, y ?? 0).mean);
  return mean.every(Number.isFinite) ? mean : null;
}

// ---- the image in use

// Returns the index, among the test images of the handout, of the one that the settings choose; -1 for none.
const rowIn = ({ host: { data }, key }, settings) => (key in settings ? data.rows.indexOf(Number(settings[key])) : -1);

// Returns the visitor's picture if it is in use: { id, changes, bytes: {data: bytes}, classes: {model: y} }.
function ownOf(input, settings = input.host.place.settings) {
  return rowIn(input, settings) < 0 ? input.host.inputs.get(input.key) : undefined;
}

function imageOf(input, settings = input.host.place.settings) {
  const { host, start } = input, { data, model, decoder, shape } = host, own = ownOf(input, settings), mine = own?.bytes[data.name];
  const chosen = rowIn(input, settings), i = chosen < 0 ? Math.max(0, data.rows.indexOf(start)) : chosen;
  const size = shape.height * shape.width * shape.channels;
  const bytes = mine ?? host.imageBytes.subarray(i * size, (i + 1) * size);
  const x = channelsLast(Float64Array.from(bytes, (value) => value / 255), shape), { length } = model.classes;
  if (!mine) return { x, y: length ? data.labels[i] : null, bytes, caption: captionOf(data, i), source: `row ${data.rows[i]}`, index: i };
  if (length) own.classes[model.name] ??= mostLikelyClass(decoder, x);
  const y = length ? own.classes[model.name] : null;
  return { x, y, bytes, caption: 'your picture', source: `${own.id} ${own.changes} ${y}`, index: null };
}

const captionOf = ({ rows, classes, labels }, i) => `test image ${rows[i]}: ${classes[labels[i]]}`;

// ---- the widget

function propsOf(input) {
  const { host: { data, place, content }, key, name, draws, answer } = input, { bytes, caption, index } = imageOf(input), own = ownOf(input);
  const kind = own ? 'own' : rowIn(input, place.settings) < 0 ? 'none' : 'row';
  showGallery(input, index);
  return {
    key, name, draws, data: data.name, noun: data.noun, shape: data.shape, crisp: data.crisp, preparation: data.preparation,
    gallery: input.gallery, selected: index === null ? null : orNull(input.rows.indexOf(index)),
    choice: { kind, id: own?.id ?? null, prepared: Boolean(own?.bytes[data.name]) }, x: toBase64(bytes), caption, remark: '',
    maxBytes: content.header.max_bytes, sent: SENT, altered: ALTERED, answer, weights: '',
  };
}

const orNull = (index) => (index < 0 ? null : index);

// Chooses the test images to show; the first ones include the one in use.
function showGallery(input, index) {
  const { host: { data, images, shape }, page } = input, n = data.rows.length;
  const rows = Array.from({ length: Math.min(GALLERY_SIZE, n) }, (_, i) => (page * GALLERY_SIZE + i) % n);
  if (page === 0 && index !== null && !rows.includes(index)) rows[0] = index;
  if (input.rows?.join() === rows.join()) return;
  const labels = rows.map((i) => `${data.classes[data.labels[i]]}, test image ${data.rows[i]}`);
  Object.assign(input, { rows, gallery: gridProps(rows.map(images), shape, { labels }) });
}

// Offers the class of the visitor's picture, for a conditional model; at first the most likely one.
function showClasses(input) {
  const { host, name, classes } = input, { model } = host, own = ownOf(input), { y, index } = imageOf(input);
  if (y === null || index !== null) return classes.replaceChildren();
  return classes.replaceChildren(select(`Class of the ${name}`, model.classes.map((text, i) => [i, text]), y, (chosen) => {
    own.classes[model.name] = Number(chosen);
    host.set(input.point(imageOf(input)));
  }));
}

const RECEIVE = {
  pick: (input, i) => use(input, { [input.key]: input.host.data.rows[input.rows[i]] }),
  more(input) {
    input.page += 1;
    update(input);
  },
  own(input, { data, id, x, restored }) {
    const { host: { inputs }, key } = input, before = inputs.get(key), own = before?.id === id ? before : { id, changes: 0, bytes: {} };
    inputs.set(key, { ...own, changes: own.changes + 1, bytes: { ...own.bytes, [data]: fromBase64(x) }, classes: {} });
    use(input, {}, restored);
  },
  // where the browser alters pixels: no server is there to decode the file
  file(input, { id }) {
    input.answer = { id, error: ALTERED };
    update(input);
  },
};

// Puts an image in use: a test image by the setting of this input, else the visitor's own picture.
function use(input, chosen, restored = false) {
  const { host, key, point } = input, { [key]: before, ...others } = host.place.settings, settings = { ...others, ...chosen };
  host.set({ ...(restored ? {} : point(imageOf(input, settings))), settings });
}
