// A visitor's own picture, drawn or photographed: its pixels, its preparation, what the tab keeps of it.
import { fromBase64, toBase64 } from '../../runtime/base64.js';
import { decode } from '../../runtime/decode.js';
import { prepare } from '../../runtime/prepare.js';
import { rasterise } from '../../runtime/strokes.js';
import { cut, fitted, wholeFrame } from './frame.js';
import { MAX_LENGTH, MAX_PICTURES } from './memory.js';

const DRAWING_SIZE = 448; // px across a drawing
const LIVE_SIZE = 256; // px of the longer side, for the stages while the hand moves
const QUALITIES = [0.85, 0.6, 0.35]; // of the JPEG that the tab keeps; the first that is small enough
const MAX_NAME = 80; // characters

// Settings: the crop frame (of a photo), whether to swap light and dark (null: as the picture says), whether to do
// without cleaning, which of several things found is meant.
const settingsFor = (picture, aspect) => ({ frame: picture ? wholeFrame(picture, aspect) : null, invert: null, plain: false, candidate: 0 });
const newId = () => Math.random().toString(36).slice(2);

// past: earlier { settings, strokes }, for undo.
export const drawingOf = (strokes) => ({ id: newId(), name: 'drawing', kind: 'strokes', strokes, settings: settingsFor(null), past: [] });
export const photoOf = (picture, name, aspect) => ({
  id: newId(), name: name.slice(0, MAX_NAME) || 'picture', kind: 'file', picture, settings: settingsFor(picture, aspect), past: [],
});

// Data of photos has no figure that is looked for: its frame has the aspect ratio of the data.
export const aspectOf = ({ preparation, shape: [, height, width] }) => (preparation.kind === 'photo' ? width / height : null);

// Cuts the frame of a photo to the aspect ratio of the current data.
export function fitFrame(own, aspect) {
  if (own.kind === 'file') own.settings = { ...own.settings, frame: fitted(own.settings.frame, aspect) };
}

// Returns what prepare() makes of a picture for the data set of the props, and the settings that it used.
export function prepareOwn(own, { shape, preparation }, settings = own.settings, isLive = false) {
  const source = own.kind === 'strokes' ? rasterise(own.strokes, isLive ? LIVE_SIZE : DRAWING_SIZE) : cut(own.picture, settings.frame, isLive ? LIVE_SIZE : undefined);
  const prepared = prepare(source, shape, preparation, settings);
  prepared.stages[0].title = own.kind === 'strokes' ? 'drawing' : 'photo';
  if (settings.candidate < Math.max(1, prepared.candidates.length)) return { ...prepared, settings };
  return prepareOwn(own, { shape, preparation }, { ...settings, candidate: 0 }, isLive); // another data set finds fewer
}

// ---- what the server gets

// x in [0, 1] -> bytes in base64.
export const encodeX = (x) => toBase64(Uint8Array.from(x, (value) => Math.round(255 * value)));

// Returns the content of a file in base64.
export function readBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

// Pixels that the server has decoded, height * width * 3 bytes.
export function pictureFromRgb(rgb, width, height) {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0, at = 0; i < rgb.length; i += 3, at += 4) data.set(rgb.subarray(i, i + 3), at);
  return { width, height, data };
}

// ---- what the tab keeps

// Returns the strokes, or the photo as a JPEG in a data URI.
export const contentOf = ({ kind, strokes, picture }) => (kind === 'strokes' ? strokes : jpegOf(picture));

function jpegOf({ width, height, data }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.getContext('2d').putImageData(new ImageData(data, width, height), 0, 0);
  let address;
  for (const quality of QUALITIES) {
    address = canvas.toDataURL('image/jpeg', quality);
    if (address.length < MAX_LENGTH / MAX_PICTURES) break;
  }
  return address;
}

// Returns a picture that memory.js has kept. Raises Refusal where it is damaged.
export async function restored({ id, name, kind, content, settings }, aspect) {
  if (kind === 'strokes') return { id, name, kind, strokes: content, settings: { ...settingsFor(null), ...settings }, past: [] };
  const picture = await decode(new Blob([fromBase64(content.slice(content.indexOf(',') + 1))]));
  const own = { id, name, kind, picture, settings: { ...settingsFor(picture, aspect), ...settings }, past: [] };
  fitFrame(own, aspect);
  return own;
}
