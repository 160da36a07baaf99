// The snapshots of a training that a browser has received, in the order of their steps.
import { fromBase64 } from '../../runtime/base64.js';

const UNSETTLED = 0.08; // share of the steps, at the beginning
const MAX_INT16 = 32767; // codes arrive as shares of the largest one

// id: of the training. frames: those received. steps: of all snapshots that the host keeps.
export const createFilm = (id) => ({ id, frames: [], steps: [] });

// Adds the props' new frames, and drops those that the host has dropped. Returns whether the film has changed.
export function takeFrames(film, { frames, steps }) {
  const kept = new Map(film.frames.map((frame) => [frame.step, frame]));
  const before = film.frames.length && film.frames.at(-1).step;
  for (const frame of frames) if (!kept.has(frame.step)) kept.set(frame.step, unpacked(frame));
  film.steps = steps;
  film.frames = steps.filter((step) => kept.has(step)).map((step) => kept.get(step));
  return frames.length > 0 || before !== (film.frames.length && film.frames.at(-1).step);
}

// Returns the last step up to which the film has no gap, -1 for none; null for a film that has all its frames.
export function completeUntil({ frames, steps }) {
  if (frames.length === steps.length) return null;
  let i = 0;
  while (frames[i]?.step === steps[i]) i++;
  return i ? steps[i - 1] : -1;
}

// Returns a frame with its codes as numbers (2 P).
function unpacked(frame) {
  const bytes = fromBase64(frame.codes), view = new DataView(bytes.buffer);
  const codes = Float32Array.from({ length: bytes.length / 2 }, (_, i) => (view.getInt16(2 * i, true) / MAX_INT16) * frame.reach);
  return { ...frame, codes };
}

// Returns what stands between two frames on the plane, at a share from 0 to 1 of the way. A step of training moves each
// code on a straight line here.
export function between(a, b, share) {
  if (share >= 1 || !a || a.codes.length !== b.codes.length) return { codes: b.codes, extent: b.extent };
  const mixed = (from, to) => from + (to - from) * share;
  return { codes: b.codes.map((to, i) => mixed(a.codes[i], to)), extent: b.extent.map((to, i) => mixed(a.extent[i], to)) };
}

// Returns the step from which on values are of the size that they keep: an untrained network's are several times larger.
export const settledStep = (steps) => (steps.length > 4 ? UNSETTLED * steps.at(-1) : 0);

// Returns the largest KL of a dimension in the film, at least `least` nats.
export function highestKl({ frames, steps }, least) {
  const settled = settledStep(steps);
  return Math.max(least, ...frames.filter(({ step }) => step >= settled).map(({ kl }) => Math.max(...kl)));
}

// Returns at most n frames of the film, evenly spaced, the first and the last among them.
export function evenly(frames, n) {
  if (frames.length <= n) return frames;
  return Array.from({ length: n }, (_, i) => frames[Math.round((i * (frames.length - 1)) / (n - 1))]);
}
