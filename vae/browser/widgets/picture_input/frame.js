// The crop frame: an upright rectangle over a picture that is turned around its middle.
import { areaAverage } from '../../runtime/area_average.js';

export const MAX_SIDE = 1024; // px of what is cut out
const MIN_SIDE = 16; // px of the frame

// A frame is { x, y, width, height, angle }: its middle in pixels of the picture, its sides in pixels, and the degrees
// by which the picture is turned clockwise. aspect: width / height of the frame, or null for any.
export function wholeFrame({ width, height }, aspect = null) {
  const across = aspect ? Math.min(width, height * aspect) : width;
  return { x: width / 2, y: height / 2, width: across, height: aspect ? across / aspect : height, angle: 0 };
}

// Returns the largest frame of an aspect ratio within a frame, around the same middle.
export function fitted(frame, aspect) {
  if (!aspect) return frame;
  const width = Math.min(frame.width, frame.height * aspect);
  return { ...frame, width, height: width / aspect };
}

// Returns the sides [width, height] of the upright box around the turned picture.
export function boundsOf({ width, height }, angle) {
  const [cos, sin] = turn(angle).map(Math.abs);
  return [width * cos + height * sin, width * sin + height * cos];
}

const turn = (angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];

// A place of the picture, in pixels from the middle of the turned picture; and back.
export function toView({ width, height }, angle, [x, y]) {
  const [cos, sin] = turn(angle), dx = x - width / 2, dy = y - height / 2;
  return [dx * cos - dy * sin, dx * sin + dy * cos];
}

export function fromView({ width, height }, angle, [x, y]) {
  const [cos, sin] = turn(angle);
  return [x * cos + y * sin + width / 2, y * cos - x * sin + height / 2];
}

// Returns the frame's sides [left, top, right, bottom], in pixels from the middle of the turned picture.
export function sidesOf(picture, { x, y, width, height, angle }) {
  const [across, down] = toView(picture, angle, [x, y]);
  return [across - width / 2, down - height / 2, across + width / 2, down + height / 2];
}

function frameOf(picture, [left, top, right, bottom], angle) {
  const [x, y] = fromView(picture, angle, [(left + right) / 2, (top + bottom) / 2]);
  return { x, y, width: right - left, height: bottom - top, angle };
}

// ---- changes; each returns a frame within the box around the turned picture

export function moved(picture, frame, dx, dy) {
  const [left, top, right, bottom] = sidesOf(picture, frame);
  return within(picture, frameOf(picture, [left + dx, top + dy, right + dx, bottom + dy], frame.angle));
}

// corner: [0 or 1, 0 or 1], from the left and from the top. The opposite corner stays.
export function resized(picture, frame, corner, dx, dy, aspect = null) {
  const sides = sidesOf(picture, frame), bounds = boundsOf(picture, frame.angle);
  const size = [0, 1].map((i) => {
    const sign = corner[i] ? 1 : -1, room = corner[i] ? bounds[i] / 2 - sides[i] : sides[i + 2] + bounds[i] / 2;
    return Math.min(room, Math.max(MIN_SIDE, sides[i + 2] - sides[i] + sign * [dx, dy][i]));
  });
  if (aspect) {
    size[0] = Math.min(size[0], size[1] * aspect);
    size[1] = size[0] / aspect;
  }
  const at = [0, 1].map((i) => (corner[i] ? [sides[i], sides[i] + size[i]] : [sides[i + 2] - size[i], sides[i + 2]]));
  return frameOf(picture, [at[0][0], at[1][0], at[0][1], at[1][1]], frame.angle);
}

// Scales the frame around its middle.
export function scaled(picture, frame, factor) {
  const smallest = MIN_SIDE / Math.min(frame.width, frame.height), k = Math.max(factor, Math.min(1, smallest));
  return within(picture, { ...frame, width: frame.width * k, height: frame.height * k });
}

// Turns the picture by some degrees; what is in the middle of the frame stays there.
export function turned(picture, frame, degrees) {
  return within(picture, { ...frame, angle: (((frame.angle + degrees) % 360) + 360) % 360 });
}

// Turns picture and frame together, by quarters to the right.
export function quarterTurned(picture, frame, quarters) {
  const sides = quarters % 2 ? { width: frame.height, height: frame.width } : {};
  return turned(picture, { ...frame, ...sides }, 90 * quarters);
}

// Returns the degrees from the nearest right angle, -45 to 45.
export const tiltOf = ({ angle }) => ((angle + 45) % 90) - 45;

function within(picture, frame) {
  const [across, down] = boundsOf(picture, frame.angle);
  const k = Math.min(1, across / frame.width, down / frame.height);
  const { width, height } = { width: frame.width * k, height: frame.height * k };
  const [x, y] = toView(picture, frame.angle, [frame.x, frame.y]);
  const inside = (value, room) => Math.max(-room, Math.min(room, value));
  const middle = [inside(x, (across - width) / 2), inside(y, (down - height) / 2)];
  const [left, top] = [middle[0] - width / 2, middle[1] - height / 2];
  return frameOf(picture, [left, top, left + width, top + height], frame.angle);
}

// ---- pixels

// Returns what the frame holds, { width, height, data }. Right angles copy pixels; others interpolate between four.
// Beyond the picture, its edge goes on.
export function cut(picture, frame, maxSide = MAX_SIDE) {
  if (frame.angle % 90 === 0) return reduced(copied(picture, frame), maxSide);
  const [left, top, right, bottom] = sidesOf(picture, frame);
  const scale = Math.min(1, maxSide / Math.max(right - left, bottom - top));
  const size = [right - left, bottom - top].map((side) => Math.max(1, Math.round(side * scale)));
  return sampled(picture, frame.angle, [left, top], 1 / scale, ...size, interpolatePixel);
}

function copied(picture, frame) {
  const [left, top, right, bottom] = wholePixels(picture, frame);
  if (frame.angle === 0) return rowsOf(picture, [left, top, right, bottom]);
  return sampled(picture, frame.angle, [left, top], 1, right - left, bottom - top, copyPixel);
}

function wholePixels(picture, frame) {
  const bounds = boundsOf(picture, frame.angle).map(Math.round);
  const sides = sidesOf(picture, frame).map((side, i) => Math.round(side + bounds[i % 2] / 2) - bounds[i % 2] / 2);
  return [sides[0], sides[1], Math.max(sides[0] + 1, sides[2]), Math.max(sides[1] + 1, sides[3])];
}

// As sampled, for a picture that is not turned: whole rows, which is faster.
function rowsOf({ width, height, data }, [left, top, right, bottom]) {
  const part = { width: right - left, height: bottom - top, data: new Uint8ClampedArray(4 * (right - left) * (bottom - top)) };
  for (let row = 0; row < part.height; row++) {
    const from = 4 * ((row + top + height / 2) * width + left + width / 2);
    part.data.set(data.subarray(from, from + 4 * part.width), 4 * row * part.width);
  }
  return part;
}

function reduced(picture, maxSide) {
  const scale = maxSide / Math.max(picture.width, picture.height);
  if (scale >= 1) return picture;
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  const data = Uint8ClampedArray.from(areaAverage(picture.data, picture.width, picture.height, 4, width, height));
  return { width, height, data };
}

function sampled(picture, angle, [left, top], step, width, height, sample) {
  const data = new Uint8ClampedArray(4 * width * height), [cos, sin] = turn(angle);
  const [x0, y0] = fromView(picture, angle, [left + step / 2, top + step / 2]);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 4) {
      sample(picture, x0 + step * (column * cos + row * sin), y0 + step * (row * cos - column * sin), data, at);
    }
  }
  return { width, height, data };
}

const inRange = (i, n) => Math.max(0, Math.min(n - 1, i));

function copyPixel({ width, height, data }, x, y, to, at) {
  const from = 4 * (inRange(Math.floor(y), height) * width + inRange(Math.floor(x), width));
  for (let c = 0; c < 4; c++) to[at + c] = data[from + c];
}

function interpolatePixel({ width, height, data }, x, y, to, at) {
  const left = Math.floor(x - 0.5), top = Math.floor(y - 0.5), right = x - 0.5 - left, down = y - 0.5 - top;
  const x0 = 4 * inRange(left, width), x1 = 4 * inRange(left + 1, width);
  const y0 = 4 * width * inRange(top, height), y1 = 4 * width * inRange(top + 1, height);
  for (let c = 0; c < 4; c++) {
    const above = (1 - right) * data[y0 + x0 + c] + right * data[y0 + x1 + c];
    const below = (1 - right) * data[y1 + x0 + c] + right * data[y1 + x1 + c];
    to[at + c] = (1 - down) * above + down * below;
  }
}
