// An image for a model: a test image, a drawing, a photo or a file. The page prepares it and emits x alone.
// Emits: pick, the index of a test image; more, for other test images; own {data, id, name, x, found, inverted, plain,
// candidate, restored}, a prepared picture, restored if not by the visitor's hand, with its code {weights, z, y} where
// the mailbox has the model of the props, or their files are fetched in time; file {id, name, content}, where the browser
// alters the pixels that a page reads. Its props are those of pages/components/widgets/image_input.py.
import { fromBase64 } from '../../runtime/base64.js';
import { probe } from '../../runtime/decode.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { createRoot } from '../../runtime/root.js';
import { undoKey } from '../../runtime/undo_key.js';
import { mount as mountGrid } from '../picture_grid/picture_grid.js';
import { createDrawing } from './drawing.js';
import { createEditor } from './editor.js';
import { receiveAnswer, setUpFiles } from './intake.js';
import { createKept } from './kept.js';
import { createMemory } from './memory.js';
import { createResult } from './result.js';
import { paint, pictureOf } from './stages.js';
import { fetchEncoder, setUpTabs, showTab } from './tabs.js';
import { commit, drawn, follow, refit, reuse, send, sendIfNeeded, undo, undoDrawing } from './use.js';
import { refuse } from './words.js';
import css from './picture_input.css';
import html from './picture_input.html';

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
    current: null, // the id of the own picture in use
    tab: '', turn: 0, sentFor: '', asked: null,
  };
  const { find } = input;
  input.grid = mountGrid(find('.gallery'), gridProps(input), (event, index) => pick(input, index));
  find('.more').onclick = () => emit('more', true);
  input.result = createResult(input, { commit: (change) => commit(input, change), use: (own) => send(input, own) });
  input.drawing = createDrawing(find, {
    change: (own) => input.result.preview(own), release: (own) => drawn(input, own), undo: () => undoDrawing(input),
  }, signal);
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
  if (isFirst || props.data !== before.data) input.drawing.recolour(props);
  if (!isFirst && props.data !== before.data) refit(input);
  if (isFirst || props.data !== before.data) showTab(input, input.tab || 'test');
  else if (props.weights !== before.weights && input.tab !== 'test') fetchEncoder(input);
  const { kind, id } = props.choice;
  input.current = kind === 'own' ? id : null;
  input.result.offer();
  if (isFirst || kind !== before.choice.kind || id !== before.choice.id) follow(input, isFirst);
  else if (kind === 'own') sendIfNeeded(input, id);
  receiveAnswer(input);
}

// ---- the image in use

function showNow({ find, props }) {
  const { x, shape, name, caption, remark, sent, altered } = props;
  const seen = find('.seen');
  if (x) paint(seen, pictureOf(fromBase64(x), shape, 1));
  seen.hidden = !x;
  seen.setAttribute('aria-label', `the ${name} as the model sees it`);
  find('.name').textContent = name;
  find('.caption').textContent = caption;
  find('.remark').textContent = remark;
  find('.sent').textContent = probe() ? sent : altered;
  find('.tabs').setAttribute('aria-label', `source of the ${name}`);
  find('.pad').setAttribute('aria-label', `draw the ${name}`);
}

function gridProps({ props: { gallery, selected }, element }) {
  return {
    ...gallery, selected, name: 'test images', wrap: false, columns: element.clientWidth >= 620 ? 12 : 6, size: 64, row_labels: null, captions: null,
    clickable: true, missing: [], note: '',
  };
}

function pick(input, index) {
  input.turn += 1;
  refuse(input, '');
  input.memory.leave(input.props.key);
  input.current = null;
  input.emit('pick', index);
}

function undoByKey(input, event) {
  if (undoKey(event) !== 'undo') return;
  if (input.tab === 'draw') undoDrawing(input);
  else if (input.tab === 'file') undo(input);
  else return;
  event.preventDefault();
}
