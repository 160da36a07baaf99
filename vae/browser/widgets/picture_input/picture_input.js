// An image for a model: a test image, a drawing, a photo or a file. The page prepares it and sends x alone.
// Emits: pick, the index of a test image; more, for other test images; own {data, id, name, x, found, inverted, plain,
// candidate}, a prepared picture; file {id, name, content}, where the browser alters the pixels that a page reads. Its
// props are those of pages/components/widgets/image_input.py.
import { check, decode, probe } from '../../runtime/decode.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { Refusal } from '../../runtime/picture_header.js';
import { createRoot } from '../../runtime/root.js';
import { mount as mountGrid } from '../picture_grid/picture_grid.js';
import { cameraOf, createCamera } from './camera.js';
import { createDrawing } from './drawing.js';
import { createEditor } from './editor.js';
import { chooseFile, receiveFiles } from './files.js';
import { createKept } from './kept.js';
import { createMemory } from './memory.js';
import { aspectOf, contentOf, encodeX, fromBase64, photoOf, pictureFromRgb, prepareOwn, readBase64, restored } from './own.js';
import { createResult } from './result.js';
import { paint, pictureOf } from './stages.js';
import css from './picture_input.css';
import html from './picture_input.html';

const TAB_OF = { strokes: 'draw', file: 'file' };
const ALTERED = 'This browser alters the pixels that a page reads: a photo or file is sent as it is. The server does not keep it.';
const READING = 'Reading the picture …', SENDING = 'Sending the file …';
const LOST = 'Your picture is no longer in this browser tab. Draw or choose it again.';
const NO_ROOM = 'This browser tab has no room to keep the picture: other pages and a reload lose it.';

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const input = createInput(root, element, props, emit, mailbox, abort.signal);
  update(input, props);
  return {
    update: (next) => update(input, next),
    destroy() {
      abort.abort();
      input.grid.destroy();
      root.replaceChildren();
    },
  };
}

function createInput(root, element, props, emit, mailbox, signal) {
  const input = {
    root, element, emit, mailbox, signal, props, memory: createMemory(), find: (selector) => root.querySelector(selector),
    own: { strokes: null, file: null }, // the drawing and the photo in hand
    tab: '', turn: 0, sentFor: '', asked: null,
  };
  const { find } = input;
  input.grid = mountGrid(find('.gallery'), gridProps(input), (event, index) => pick(input, index));
  find('.more').onclick = () => emit('more', true);
  input.result = createResult(input, (change) => commit(input, change));
  input.drawing = createDrawing(find, { change: (own) => input.result.preview(own), release: (own) => drawn(input, own) }, signal);
  input.editor = createEditor(input, { commit: (change) => commit(input, change), undo: () => undo(input) }, signal);
  input.kept = createKept(input, (id) => reuse(input, id));
  setUpTabs(input);
  setUpFiles(input);
  hear(mailbox, 'picture', () => receiveAnswer(input), signal);
  root.addEventListener('keydown', (event) => undoByKey(input, event), { signal });
  const observer = new ResizeObserver(() => input.grid.update(gridProps(input)));
  observer.observe(element);
  signal.addEventListener('abort', () => observer.disconnect());
  return input;
}

function update(input, props) {
  const isFirst = !input.tab, before = input.props;
  input.props = props;
  input.grid.update(gridProps(input));
  showNow(input);
  if (isFirst || props.data !== before.data) showTab(input, input.tab || 'test');
  const { kind, id } = props.choice;
  if (isFirst || kind !== before.choice.kind || id !== before.choice.id) follow(input, isFirst);
  else if (kind === 'own') sendIfNeeded(input, id);
  receiveAnswer(input);
}

// ---- what the server uses

function showNow({ find, props }) {
  const { x, shape, name, caption, remark, sent } = props;
  const seen = find('.seen');
  if (x) paint(seen, pictureOf(fromBase64(x), shape, 1));
  seen.hidden = !x;
  seen.setAttribute('aria-label', `the ${name} as the model sees it`);
  find('.name').textContent = name;
  find('.caption').textContent = caption;
  find('.remark').textContent = remark;
  find('.sent').textContent = probe() ? sent : ALTERED;
  find('.tabs').setAttribute('aria-label', `source of the ${name}`);
  find('.pad').setAttribute('aria-label', `draw the ${name}`);
}

function gridProps({ props: { gallery, selected }, element }) {
  return {
    ...gallery, selected, name: 'test images', columns: element.clientWidth >= 620 ? 12 : 6, size: 64, row_labels: null, captions: null,
    clickable: true, missing: [], note: '',
  };
}

function pick(input, index) {
  input.turn += 1;
  refuse(input, '');
  input.memory.leave(input.props.key);
  input.emit('pick', index);
}

// Brings the own picture that the server uses, or that this place used before the session began, into the widget.
async function follow(input, isFirst) {
  const { choice, key } = input.props, use = input.memory.used(key);
  if (choice.kind === 'row') {
    if (isFirst) input.memory.leave(key);
    return;
  }
  const id = choice.kind === 'own' ? choice.id : use?.id;
  if (!id) return;
  const own = held(input, id) ?? (await bring(input, id, use?.id === id ? use.settings : undefined));
  if (own && choice.kind === 'own') sendIfNeeded(input, id);
  else if (own) send(input, own);
  else if (own === null && (choice.kind === 'none' || !input.props.x)) {
    input.memory.leave(key);
    refuse(input, LOST);
  }
}

// ---- own pictures

const held = ({ own }, id) => Object.values(own).find((one) => one?.id === id);

// Takes a kept picture in hand and shows it. Returns null where it is not kept, undefined where something newer has
// happened meanwhile.
async function bring(input, id, settings) {
  const turn = (input.turn += 1), found = input.memory.find(id);
  if (!found) return null;
  try {
    const own = await restored({ ...found, settings: settings ?? found.settings }, aspectOf(input.props));
    if (turn !== input.turn || input.signal.aborted) return undefined;
    hold(input, own);
    return own;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

function hold(input, own) {
  input.own[own.kind] = own;
  if (own.kind === 'strokes') input.drawing.show(own);
  else input.editor.show(own);
  showTab(input, TAB_OF[own.kind]);
}

async function reuse(input, id) {
  const own = held(input, id) ?? (await bring(input, id));
  if (own === null) return refuse(input, LOST);
  if (!own) return undefined;
  hold(input, own);
  return send(input, own);
}

// Sends x again where the server has none for the current data set.
function sendIfNeeded(input, id) {
  const { props, memory } = input, own = held(input, id);
  const isKnown = props.x && memory.used(props.key)?.data === props.data;
  if (own && !isKnown && input.sentFor !== `${id} ${props.data}`) send(input, own);
}

function send(input, own) {
  const { data, key } = input.props;
  const { x, found, inverted, settings } = input.result.show(own);
  own.settings = settings;
  input.sentFor = `${own.id} ${data}`;
  input.memory.use(key, { id: own.id, data, settings });
  input.memory.set(own.id, settings);
  input.emit('own', { data, id: own.id, name: own.name, x: encodeX(x), found, inverted, plain: settings.plain, candidate: settings.candidate });
}

function keep(input, own) {
  const canKeep = own.kind === 'strokes' || probe();
  const isKept = canKeep && input.memory.keep({ id: own.id, name: own.name, kind: own.kind, settings: own.settings, content: contentOf(own) });
  if (!isKept) say(input, NO_ROOM);
}

// A drawing after a stroke, an undo or a clear.
function drawn(input, own) {
  input.turn += 1;
  refuse(input, '');
  say(input, '');
  input.own.strokes = own;
  if (!own) return input.result.hide();
  send(input, own);
  return keep(input, own);
}

function added(input, picture, name) {
  const own = photoOf(picture, name, aspectOf(input.props));
  say(input, '');
  hold(input, own);
  send(input, own);
  keep(input, own);
}

// Changes the settings of the picture in sight.
function commit(input, change) {
  const { own } = input.result;
  own.past.push(own.settings);
  own.settings = { ...own.settings, ...change };
  settled(input, own);
}

function undo(input) {
  const own = input.own.file;
  if (!own?.past.length) return;
  own.settings = own.past.pop();
  settled(input, own);
}

function settled(input, own) {
  if (own.kind === 'file') input.editor.show(own);
  send(input, own);
}

function undoByKey(input, event) {
  if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== 'z') return;
  if (input.tab === 'draw') input.drawing.undo();
  else if (input.tab === 'file') undo(input);
  else return;
  event.preventDefault();
}

// ---- files

async function open(input, file, name = file.name) {
  const turn = (input.turn += 1), { maxBytes } = input.props;
  const isLatest = () => turn === input.turn && !input.signal.aborted;
  showTab(input, 'file');
  refuse(input, '');
  say(input, READING);
  try {
    const picture = probe() ? await decode(file, maxBytes) : await checkedContent(file, maxBytes);
    if (!isLatest()) return;
    if (probe()) added(input, picture, name);
    else ask(input, name, picture);
  } catch (error) {
    if (isLatest()) refuse(input, error instanceof Refusal ? error.message : `The browser cannot open this picture (${error.message}).`);
  }
}

async function checkedContent(file, maxBytes) {
  await check(file, maxBytes);
  return readBase64(file);
}

// The server decodes a file for a browser that cannot; its answer brings the pixels.
function ask(input, name, content) {
  input.asked = { id: `${input.props.key}.${Date.now()}`, name };
  say(input, SENDING);
  input.emit('file', { ...input.asked, content });
}

function receiveAnswer(input) {
  const { asked, mailbox, props: { answer } } = input;
  if (!asked || answer?.id !== asked.id) return;
  const rgb = mailbox.memory.get(`picture:${asked.id}`);
  if (!answer.error && !rgb) return; // the pixels are still on their way
  input.asked = null;
  mailbox.memory.delete(`picture:${asked.id}`);
  if (answer.error) refuse(input, answer.error);
  else added(input, pictureFromRgb(rgb, answer.width, answer.height), asked.name);
}

function setUpFiles(input) {
  const { element, mailbox, signal, find } = input, refusing = (sentence) => refuse(input, sentence);
  receiveFiles(element, mailbox, { take: (file) => open(input, file), refuse: refusing }, signal);
  find('.choose').onclick = () => chooseFile(find('.chosen'), (file) => open(input, file));
  input.camera = createCamera(find('.camera'), { take: (picture) => added(input, picture, 'photo'), refuse: refusing }, signal);
  const kind = cameraOf(window), button = find('.photograph');
  button.hidden = kind === '' || (kind === 'live' && !probe());
  button.onclick = () => (kind === 'app' ? chooseFile(find('.captured'), (file) => open(input, file, 'photo')) : input.camera.open());
}

// ---- what the widget says

// A refused picture leaves the one before in its place, and the sentence says so.
function refuse({ find, props }, sentence) {
  find('.refusal').textContent = sentence && `${sentence} The ${props.name} is still ${props.caption}.`;
  find('.status').textContent = '';
}

const say = ({ find }, sentence) => (find('.status').textContent = sentence);

// ---- tabs

function setUpTabs(input) {
  const tabs = [...input.root.querySelectorAll('[role=tab]')];
  const step = { ArrowRight: 1, ArrowLeft: -1 };
  tabs.forEach((tab, i) => {
    tab.onclick = () => showTab(input, tab.dataset.tab);
    tab.onkeydown = ({ key }) => {
      if (!step[key]) return;
      const next = tabs[(i + step[key] + tabs.length) % tabs.length];
      showTab(input, next.dataset.tab);
      next.focus();
    };
  });
}

function showTab(input, name) {
  const { root, own } = input;
  if (name !== 'file') input.camera.close();
  input.tab = name;
  root.querySelectorAll('[role=tab]').forEach((tab) => {
    tab.setAttribute('aria-selected', tab.dataset.tab === name);
    tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
  });
  root.querySelectorAll('[role=tabpanel]').forEach((panel) => (panel.hidden = panel.dataset.tab !== name));
  if (name === 'yours') input.kept.show();
  const inSight = name === 'draw' ? own.strokes : name === 'file' ? own.file : null;
  if (inSight) input.result.show(inSight);
  else input.result.hide();
}
