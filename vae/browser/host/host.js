// The host of widgets without the app: in an HTML file or on a static site (page.js), or in a notebook cell
// (../notebook/explorer.js).
import { fetchBytes } from '../runtime/load_model.js';
import { announce, createMailbox } from '../runtime/mailbox.js';
import { createModel } from '../runtime/network.js';
import { channelsLast } from '../runtime/pixels.js';
import { normals } from '../runtime/random.js';
import { receive as receivePoints } from '../widgets/scatter/points_channel.js';
import { receive as receiveSheet } from '../widgets/scatter/sheet_channel.js';
import { createAnswers } from './answers.js';
import { unpack } from './content.js';
import { MAX_SEED, readPlace, writePlace } from './place.js';
import { createShell } from './shell.js';
import { VIEWS } from './views.js';

// Shows the explorer of a content in an element, at the place that an address names. Returns the host.
// navigation: where the host is. { isPage, replace(address), push(address), title(text), moved(host), ask(question) }:
// replace and push keep an address, isPage says whether the element is a page of its own; moved is called when the point
// or the selection has changed; ask sends a question to the process that decodes what a browser cannot, null for none.
export async function openHost(root, content, navigation, address = '') {
  const host = createHost(content, navigation);
  host.shell = createShell(root, host);
  root.addEventListener('click', (event) => goByLink(host, event));
  await follow(host, address);
  return host;
}

// What the views use: the content, the model that is shown, the point, and what is made of both.
function createHost(content, navigation) {
  const mailbox = createMailbox(), [first] = content.header.models;
  const host = {
    content, mailbox, navigation, views: VIEWS, model: null, decoder: null, names: null, locked: null, shown: null, images: null, imageBytes: null,
    answers: null, // pictures from another process, of a model that no browser can run
    chosen: [], // points of the map
    namesOf: new Map(), lockedOf: new Map(), // by model, as long as the page is open
    games: new Map(), // of Match, by data set and seed
    inputs: new Map(), // the visitor's own pictures, by the key of their image input
    place: { view: VIEWS[0].name, model: first.name, z: first.start.z, y: first.start.y, seed: 0, settings: {} },

    // Changes the place without a new entry in the history, and shows it.
    set(changes) {
      Object.assign(host.place, changes);
      host.place.seed %= MAX_SEED + 1;
      navigation.replace(address(host, host.place));
      host.changed();
      navigation.moved(host);
    },
    // Goes to an address, "#map?model=...", with a new entry in the history.
    go(to) {
      navigation.push(to);
      return go(host, to);
    },
    // Selects points of the map.
    select(indices) {
      host.chosen = indices;
      host.changed();
      navigation.moved(host);
    },
    // Shows the same place again, after something else has changed.
    changed() {
      host.shell.showLinks();
      host.shown?.update();
    },
    // Returns the address of another view or model, or of another point.
    address: (changes) => address(host, { ...host.place, ...changes }),
    // Decodes z (D) to an image (H * W * C) in [0, 1].
    decode: (z, y = host.place.y) => Float32Array.from((host.answers ?? host.decoder).decode(z, y)),
    // Puts a model of the content and its points into the mailbox.
    load: (model) => load(host, model),
    // Samples n codes from the prior. temperature: times its standard deviation, where it is Gaussian
    samples: (n, seed, temperature = 1) => samplesOf(host, n, seed, temperature),
    // Returns the images of a sweep of factor k, (H * W * C) in [0, 1] each.
    sweep: (k) => sweepOf(host, k),
    dimName: (d) => host.names.get(d) || `z${d}`,
  };
  return host;
}

function remembered(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

function address({ content }, place) {
  const { classes } = content.header.models.find(({ name }) => name === place.model);
  return writePlace(place, classes.length > 0);
}

export const go = (host, to) => follow(host, to).catch(host.shell.fail);

// Follows a link to a place here. The browser would load the embedding page instead, in a frame whose content is part of
// that page.
function goByLink(host, event) {
  const to = event.target.closest?.('a[href^="#"]')?.getAttribute('href');
  if (!to || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  host.go(to);
}

// Shows the place that an address names; what it leaves open stays.
async function follow(host, to) {
  const { header } = host.content, asked = readPlace(to, header.models);
  const name = asked.model ?? host.place.model, model = header.models.find((one) => one.name === name);
  const isOther = name !== host.place.model;
  const old = isOther ? { ...model.start } : { z: host.place.z, y: host.place.y };
  Object.assign(host.place, {
    view: asked.view ?? host.place.view, model: name, z: asked.z ?? old.z, y: asked.y ?? old.y, seed: asked.seed ?? host.place.seed,
    settings: asked.settings,
  });
  if (host.model !== model) {
    host.shell.loading();
    await useModel(host, model);
  }
  if (host.place.model !== name) return; // another model was chosen meanwhile
  host.shell.show();
  host.navigation.moved(host);
}

async function useModel(host, model) {
  const { content, mailbox } = host, id = model.name, data = content.header.data[model.data];
  const [bytes, dataBytes] = await Promise.all([load(host, model), partsOf(content, data)]);
  if (host.place.model !== id) return;
  if (dataBytes('thumbnails')) receiveSheet(dataBytes('thumbnails'), mailbox);
  const { decoder } = mailbox.models.get(id), [channels, height, width] = model.network.image_shape;
  const shape = { height, width, channels }, isOther = host.model !== model;
  const prior = bytes('prior');
  Object.assign(host, {
    model, id, data, decoder, shape, chosen: isOther ? [] : host.chosen, credit: `${model.title} (${model.name}), ${model.licence}`,
    names: remembered(host.namesOf, id, () => namesOf(model)), locked: remembered(host.lockedOf, id, () => new Set()), sweeps: bytes('sweeps'),
    prior: prior && new Float32Array(prior.slice().buffer), imageBytes: dataBytes('images'), images: imagesOf(dataBytes('images'), shape),
    thumbnails: dataBytes('thumbnails'), answers: decoder ? null : createAnswers(host, model, shape),
  });
}

const namesOf = ({ names = {} }) => new Map(Object.entries(names).map(([d, name]) => [Number(d), name]));

// Puts a model and its points into the mailbox, once. Returns the function that returns the bytes of a part of it.
async function load({ content, mailbox }, model) {
  const id = model.name, bytes = await partsOf(content, model);
  if (!mailbox.models.has(id)) {
    const decoder = model.reason ? null : createModel(model.network, bytes('weights'));
    mailbox.models.set(id, { decoder, draws: bytes('samples') ?? new Uint8Array(), reason: model.reason ?? '' });
    if (bytes('points')) receivePoints(bytes('points'), mailbox);
    announce(mailbox, 'model', id);
  }
  return bytes;
}

const fetched = new Map(); // what a site has fetched, by file

// Returns the function that returns the bytes of a part of a model or a data set, undefined for none.
async function partsOf(content, { blobs, file }) {
  if (!file) return (part) => blobs[part] && content.bytes(blobs[part]);
  if (!fetched.has(file)) fetched.set(file, await unpack(await fetchBytes(file)));
  const found = fetched.get(file);
  return (part) => (found.header.blobs[part] ? found.bytes(part) : undefined);
}

// Returns the function that returns test image i in full, (H * W * C) in [0, 1].
function imagesOf(bytes, shape) {
  const size = shape.height * shape.width * shape.channels;
  return (i) => channelsLast(Float64Array.from(bytes.subarray(i * size, (i + 1) * size), (value) => value / 255), shape);
}

function sweepOf({ model: { factors: { steps } }, sweeps, shape: { height, width, channels } }, k) {
  const size = height * width * channels, at = (i) => (k * steps + i) * size;
  return Array.from({ length: steps }, (_, i) => Float32Array.from(sweeps.subarray(at(i), at(i + 1)), (value) => value / 255));
}

function samplesOf({ model: { prior, network }, prior: stored }, n, seed, temperature) {
  const dims = network.latent_dim;
  if (!prior.gaussian) {
    const count = stored.length / dims, from = seed * n;
    return Array.from({ length: n }, (_, i) => Array.from(stored.subarray(((from + i) % count) * dims, (((from + i) % count) + 1) * dims)));
  }
  const next = normals(seed);
  return Array.from({ length: n }, () => prior.mean.map((mean, d) => mean + temperature * prior.stddev[d] * next()));
}
