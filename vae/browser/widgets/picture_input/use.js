// The own pictures of a widget: which are in hand, what is sent of them, what the tab keeps.
import { probe } from '../../runtime/decode.js';
import { Refusal } from '../../runtime/picture_header.js';
import { codeOf } from './code.js';
import { aspectOf, contentOf, encodeX, fitFrame, photoOf, restored } from './own.js';
import { showTab } from './tabs.js';
import { refuse, say } from './words.js';

const TAB_OF = { strokes: 'draw', file: 'file' };
const LOST = 'Your picture is no longer in this browser tab. Draw or choose it again.';
const STAYS = 'The pad is empty. Your last picture stays in use.';
const NO_ROOM = 'This browser tab has no room to keep the picture. Other pages and a reload will lose it.';

// Brings the own picture that the server uses, or that this place used before the session began, into the widget.
export async function follow(input, isFirst) {
  const { choice, key } = input.props, use = input.memory.used(key);
  if (choice.kind === 'row') {
    if (isFirst) input.memory.leave(key);
    return;
  }
  const id = choice.kind === 'own' ? choice.id : use?.id;
  if (!id) return;
  const own = held(input, id) ?? (await bring(input, id, use?.id === id ? use.settings : undefined));
  if (own && choice.kind === 'own') sendIfNeeded(input, id);
  else if (own) send(input, own, true);
  else if (own === null && !choice.prepared) {
    input.memory.leave(key);
    refuse(input, LOST);
  }
}

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

export async function reuse(input, id) {
  const own = held(input, id) ?? (await bring(input, id));
  if (own === null) return refuse(input, LOST);
  if (!own) return undefined;
  hold(input, own);
  return send(input, own);
}

// Sends x again where the server has none for the current data set.
export function sendIfNeeded(input, id) {
  const { props } = input, own = held(input, id);
  if (own && !props.choice.prepared && input.sentFor !== `${id} ${props.data}`) send(input, own, true);
}

export function send(input, own, restored = false) {
  const { data, key, weights } = input.props;
  input.current = own.id;
  const { x, found, inverted, settings } = input.result.show(own);
  own.settings = settings;
  input.sentFor = `${own.id} ${data}`;
  input.memory.use(key, { id: own.id, data, settings });
  input.memory.set(own.id, settings);
  input.emit('own', {
    data, id: own.id, name: own.name, x: encodeX(x), found, inverted, plain: settings.plain, candidate: settings.candidate, restored,
    ...codeOf(input.mailbox, weights, x),
  });
}

function keep(input, own) {
  const canKeep = own.kind === 'strokes' || probe();
  const isKept = canKeep && input.memory.keep({ id: own.id, name: own.name, kind: own.kind, settings: own.settings, content: contentOf(own) });
  if (!isKept) say(input, NO_ROOM);
}

// A drawing after a stroke, an undo or a clear.
export function drawn(input, own) {
  input.turn += 1;
  refuse(input, '');
  say(input, '');
  input.own.strokes = own;
  if (!own) {
    if (input.props.choice.kind === 'own') say(input, STAYS);
    return input.result.hide();
  }
  send(input, own);
  return keep(input, own);
}

export function added(input, picture, name) {
  const own = photoOf(picture, name, aspectOf(input.props));
  say(input, '');
  hold(input, own);
  send(input, own);
  keep(input, own);
}

// The photo in hand, after the data has changed.
export function refit(input) {
  const { own: { file }, props } = input;
  if (!file) return;
  fitFrame(file, aspectOf(props));
  input.editor.show(file);
}

// Changes the settings of the picture in sight.
export function commit(input, change) {
  const { own } = input.result;
  own.past.push({ settings: own.settings, strokes: own.strokes });
  own.settings = { ...own.settings, ...change };
  settled(input, own);
}

export function undo(input) {
  const own = input.own.file;
  if (!own?.past.length) return;
  own.settings = own.past.pop().settings;
  fitFrame(own, aspectOf(input.props)); // they may be those for other data
  settled(input, own);
}

// Undoes the last change of a drawing: a setting, unless a stroke or a clear came after it.
export function undoDrawing(input) {
  const own = input.own.strokes, last = own?.past.at(-1);
  if (!last || last.strokes !== own.strokes) return input.drawing.undo();
  own.settings = own.past.pop().settings;
  return settled(input, own);
}

function settled(input, own) {
  if (own.kind === 'file') input.editor.show(own);
  else input.drawing.showTools();
  send(input, own);
}
