// The way of a photo or file into the widget: decoded here, or by the server where the browser alters pixels.
import { cameraOf, chooseFile, createCamera } from '../../runtime/camera.js';
import { check, decode, probe } from '../../runtime/decode.js';
import { Refusal } from '../../runtime/picture_header.js';
import { receiveFiles } from './files.js';
import { pictureFromRgb, readBase64 } from './own.js';
import { showTab } from './tabs.js';
import { added } from './use.js';
import { refuse, say } from './words.js';

const READING = 'Reading the picture …', SENDING = 'Sending the file …';

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
  const id = `${input.props.key}.${Date.now()}`;
  input.asked = { id, name, turn: input.turn };
  say(input, SENDING);
  input.emit('file', { id, name, content });
}

export function receiveAnswer(input) {
  const { asked, mailbox, props: { answer } } = input;
  if (!asked || answer?.id !== asked.id) return;
  const rgb = mailbox.memory.get(`picture:${asked.id}`);
  if (!answer.error && !rgb) return; // the pixels are still on their way
  input.asked = null;
  mailbox.memory.delete(`picture:${asked.id}`);
  if (asked.turn !== input.turn) return; // something newer has happened
  if (answer.error) refuse(input, answer.error);
  else added(input, pictureFromRgb(rgb, answer.width, answer.height), asked.name);
}

export function setUpFiles(input) {
  const { element, mailbox, signal, find } = input, refusing = (sentence) => refuse(input, sentence);
  receiveFiles(element, mailbox, { take: (file) => open(input, file), refuse: refusing }, signal);
  find('.choose').onclick = () => chooseFile(find('.chosen'), (file) => open(input, file));
  input.camera = createCamera(find('.camera'), { take: (picture) => added(input, picture, 'photo'), refuse: refusing }, signal);
  const kind = cameraOf(window), button = find('.photograph');
  button.hidden = kind === '' || (kind === 'live' && !probe());
  button.onclick = () => (kind === 'app' ? chooseFile(find('.captured'), (file) => open(input, file, 'photo')) : input.camera.open());
}
