// The explorer in a notebook cell, as anywidget mounts it.
// Its traits: content, the bytes of a handout; place, the link of its first view without z; z, the code that is shown;
// selection, rows of the images that are selected on the map. Sends { kind: "ask", question }, whose answer is the message { kind: "pictures" } with the bytes that
// runtime/answer_channel.js receives, or { kind: "code", panel, seq, z }.
import { unpack } from '../host/content.js';
import { made } from '../host/elements.js';
import { openHost } from '../host/host.js';
import { receive } from '../runtime/answer_channel.js';
import { announce } from '../runtime/mailbox.js';
import { createRoot } from '../runtime/root.js';
import css from '../host/host.css';
import { schemeOf } from './scheme.js';

const STYLE = css.replace(/^(:root|body) \{/gm, ':host {');
const HEIGHT = '46rem'; // of a cell; the rest scrolls

export default { render };

async function render({ model, el }) {
  const element = made('div'), abort = new AbortController();
  Object.assign(element.style, { maxHeight: HEIGHT, overflow: 'auto', colorScheme: schemeOf(el) });
  el.append(element);
  const root = createRoot(element, '<div id="host"></div>', STYLE), place = root.getElementById('host');
  try {
    const host = await openHost(place, await unpack(bytesOf(model.get('content'))), navigation(model), placeOf(model));
    element.host = host; // read by the browser tests
    connect(model, host, abort.signal);
  } catch (error) {
    place.replaceChildren(made('p', { role: 'alert', textContent: `This explorer cannot be shown: ${error.message}.` }));
  }
  return () => {
    abort.abort();
    element.remove();
  };
}

const bytesOf = (view) => new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);

const placeOf = (model) => `${model.get('place')}&z=${model.get('z').join()}`;

const navigation = (model) => ({
  isPage: false,
  replace() {},
  push() {},
  title() {},
  moved() {}, // until the cell follows Python
  ask: (question) => model.send({ kind: 'ask', question }),
});

// Tells Python the current code and the selected rows.
function send(model, host) {
  const { place: { z }, chosen } = host, rows = rowsOf(host);
  const changed = !same(model.get('z'), z) || !same(model.get('selection'), chosen.map((p) => rows[p]));
  if (!changed) return;
  model.set('z', Array.from(z));
  model.set('selection', chosen.map((p) => rows[p]));
  model.save_changes();
}

// Follows what Python sets and answers.
function connect(model, host, signal) {
  const handlers = {
    'change:z': () => same(model.get('z'), host.place.z) || host.set({ z: model.get('z') }),
    'change:selection': () => {
      const rows = rowsOf(host), wanted = new Set(model.get('selection'));
      if (!same(model.get('selection'), host.chosen.map((p) => rows[p]))) host.select(Array.from(rows.keys()).filter((p) => wanted.has(rows[p])));
    },
    'msg:custom': (message, [bytes] = []) => {
      if (message.kind === 'pictures') receive(bytesOf(bytes), host.mailbox);
      else if (message.kind === 'code') announce(host.mailbox, 'answer', message);
    },
  };
  for (const [event, handler] of Object.entries(handlers)) model.on(event, handler);
  signal.addEventListener('abort', () => {
    for (const [event, handler] of Object.entries(handlers)) model.off(event, handler);
    host.shown?.destroy();
  });
  handlers['change:selection'](); // Python may have set it since the widget was made
  host.navigation.moved = () => send(model, host);
}

const rowsOf = ({ model, mailbox }) => mailbox.collections.get(model.map?.collection)?.rows ?? [];

// Codes travel as float32.
const same = (a, b) => a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) <= 1e-5 * Math.max(1, Math.abs(b[i])));
