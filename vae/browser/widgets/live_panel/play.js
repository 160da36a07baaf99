// A slider that moves by itself over the range of the encoded data, and the animation of that as a file.
import { download } from '../../runtime/download.js';
import { encodeGif } from '../../runtime/gif.js';
import { fill, pictureOf } from '../../runtime/pixels.js';
import { TILES, tileValue } from './around.js';
import { label } from './label.js';
import { commit, moved } from './point.js';

const PERIOD = 4000; // ms there and back
const FRAMES = 24; // decoded for a file, which shows them there and back
const MIN_SIDE = 256; // px of the pictures in a file

// Where a slider goes: between the first and the last picture of its strip.
function swing(row) {
  const low = tileValue(row, 0), high = tileValue(row, TILES - 1);
  return { middle: (low + high) / 2, half: (high - low) / 2 || 1 };
}

// phase: 0 at the lower end, 0.5 at the upper one, 1 at the lower one again.
export function swingValue(row, phase) {
  const { middle, half } = swing(row);
  return middle - half * Math.cos(2 * Math.PI * phase);
}

// Returns the phase, 0 to 0.5, at which a slider has a value; a value outside the range is its nearer end.
export function phaseOf(row, value) {
  const { middle, half } = swing(row);
  return Math.acos(Math.max(-1, Math.min(1, (middle - value) / half))) / (2 * Math.PI);
}

// Starts a slider, or stops it where it is. A stop is the release of a hand.
export function togglePlay(panel, row) {
  const stopped = panel.playing?.row;
  stopPlaying(panel);
  if (stopped === row || row.dim.locked) return;
  const begun = performance.now() - PERIOD * phaseOf(row, panel.z[row.dim.index]);
  panel.playing = { row };
  panel.holding = true;
  const step = (now) => {
    row.input.value = panel.z[row.dim.index] = swingValue(row, Math.max(0, now - begun) / PERIOD);
    moved(panel);
    if (panel.playing) panel.playing.frame = requestAnimationFrame(step);
  };
  panel.playing.frame = requestAnimationFrame(step);
  showPlaying(panel);
}

export function stopPlaying(panel, isOver = false) {
  if (!panel.playing) return;
  cancelAnimationFrame(panel.playing.frame);
  panel.playing = null;
  showPlaying(panel);
  if (isOver) panel.holding = false; // the model is another, or the panel is gone
  else commit(panel);
}

export function showPlaying(panel) {
  for (const row of panel.rows) {
    const isPlaying = panel.playing?.row === row;
    row.play.textContent = isPlaying ? 'stop' : 'play';
    row.play.setAttribute('aria-label', `${row.play.textContent} ${label(row.dim)}`);
    row.play.setAttribute('aria-pressed', isPlaying);
    row.play.disabled = row.dim.locked;
  }
}

// ---- the file

// Saves what playing shows as a GIF.
export async function saveGif(panel, row) {
  row.gif.disabled = true;
  try {
    const frames = await decoded(panel, codes(panel, row));
    if (frames) download(gifOf(panel, frames), 'image/gif', `${panel.data.model}-${label(row.dim)}.gif`);
  } finally {
    row.gif.disabled = false;
  }
}

function codes(panel, row) {
  return Array.from({ length: FRAMES }, (_, i) => {
    const z = panel.z.slice();
    z[row.dim.index] = swingValue(row, i / (FRAMES - 1) / 2);
    return z;
  });
}

// Returns the pixels (H * W * C) of codes; null if one is not finite.
async function decoded(panel, zs) {
  const { y, entry, data: { width, height, channels } } = panel, { decoder } = entry ?? {};
  const scale = decoder ? 255 : 1, rgba = new Uint8ClampedArray(4 * width * height), frames = [];
  const answer = decoder ? null : await new Promise((use) => panel.questions.ask(() => ({ zs, y }), use));
  for (let i = 0; i < zs.length; i++) {
    if (!fill(rgba, decoder ? decoder.decode(zs[i], y) : pictureOf(answer, i), scale, channels)) return null;
    frames.push(Uint8Array.from({ length: width * height * channels }, (_, k) => rgba[4 * Math.floor(k / channels) + (k % channels)]));
    await new Promise((resolve) => setTimeout(resolve)); // the page stays responsive
  }
  return frames;
}

function gifOf({ data: { width, height, channels, licence } }, frames) {
  const thereAndBack = [...frames, ...frames.slice(1, -1).reverse()];
  return encodeGif(thereAndBack, {
    width, height, channels, scale: Math.ceil(MIN_SIDE / height), delay: Math.round(PERIOD / 10 / thereAndBack.length), comment: licence,
  });
}
