// A visitor's picture as the models of a data set know pictures, the same as in vae/data/preparing.py: found on the
// page, cleaned, framed as the data frames it.
import { areaAverage } from './area_average.js';
import { findGarment } from './prepare/garment.js';
import { findInk } from './prepare/ink.js';
import { border, boxMean, cut, greyOf, grid, grown, map, moments, not, percentile, resized, toLevels } from './prepare/pixels.js';

const FINE = 4; // samples per pixel of x in which strokes are widened
const PURE_BLACK = 12;

// picture: { width, height, data }, RGBA without transparency, of at most 1,024 px. shape: [C, H, W] of the data.
// preparation: what the data set says of its pictures. invert: whether to swap light and dark; null decides by the
// picture. plain: only crop to the middle and reduce. candidate: which of the objects becomes x; the default if there
// is none of that number.
// Returns { x, inverted, found, stages: [{ title, picture }], candidates: [{ box, x }] } with x: Float32Array in
// [0, 1], C * H * W values, channel first, and box: [left, top, right, bottom] as fractions of the picture.
export function prepare(picture, shape, preparation, { invert = null, plain = false, candidate = 0 } = {}) {
  const grey = grid(picture.width, picture.height, greyOf(picture));
  const { kind = 'photo' } = preparation;
  const isOwn = kind === 'photo' || shape[0] !== 1 || isFramed(grey, shape, preparation);
  const found = plain || isOwn ? null : kind === 'garment' ? findGarment(picture, invert) : findInk(grey, kind, invert);
  if (found) return chosen(found, shape, preparation, picture, candidate);
  const inverted = Boolean(invert ?? (border(grey) > 127 && preparation.light_on_dark));
  const levels = plainly(shape[0] === 1 ? grey : picture, shape, inverted, preparation.binary);
  const stages = [{ title: 'photo', picture }, seen(levels, shape)];
  return { x: scaled(levels), inverted, found: plain || isOwn, stages, candidates: [] };
}

// Crops a grid or an RGBA picture to the middle and reduces it to levels, channel first.
function plainly(pixels, [channels, height, width], inverted, binary) {
  const stored = pixels.levels ? 1 : 4, scale = Math.min(pixels.width / width, pixels.height / height);
  const w = scale * width, h = scale * height;
  const box = [(pixels.width - w) / 2, (pixels.height - h) / 2, (pixels.width + w) / 2, (pixels.height + h) / 2];
  const reduced = toLevels(areaAverage(pixels.levels ?? pixels.data, pixels.width, pixels.height, stored, width, height, box));
  const levels = new Uint8Array(channels * height * width);
  for (let c = 0, at = 0; c < channels; c++) {
    for (let i = 0; i < height * width; i++, at++) levels[at] = inverted ? 255 - reduced[i * stored + c] : reduced[i * stored + c];
  }
  return binary ? levels.map((level) => (level > 127 ? 255 : 0)) : levels;
}

// Whether a picture is an image of the data, perhaps enlarged: an object on pure black, framed as the data is.
function isFramed(grey, shape, preparation) {
  const [, height, width] = shape;
  if (grey.height === height && grey.width === width) return true;
  if (grey.height * width !== grey.width * height || grey.height < height) return false;
  const small = grid(width, height, plainly(grey, [1, height, width], false, false));
  const at = (x, y) => small.levels[y * width + x];
  for (const x of [0, 1, width - 2, width - 1]) {
    for (const y of [0, 1, height - 2, height - 1]) if (at(x, y) > PURE_BLACK) return false;
  }
  if (!preparation.light_on_dark || !small.levels.some((level) => level > 127)) return false;
  if (preparation.kind === 'garment') return percentile(small.levels, 0.1) <= PURE_BLACK;
  if (border(small) > PURE_BLACK) return false;
  return preparation.kind === 'shape' || isPlaced(small, shape, preparation);
}

function isPlaced(small, shape, preparation) {
  const { width, height, levels } = small;
  let left = width, top = height, right = -1, bottom = -1;
  levels.forEach((level, i) => {
    if (level <= 50) return;
    const x = i % width, y = (i - x) / width;
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  });
  const across = right + 1 - left, down = bottom + 1 - top, longer = longerSide(preparation, shape);
  const [x, y] = preparation.by_mass ? moments(small) : [left + across / 2, top + down / 2];
  const off = Math.max(Math.abs(x - width / 2), Math.abs(y - height / 2));
  return off <= 1.5 && Math.abs(Math.max(across, down) - longer) <= longer / 3;
}

function longerSide(preparation, [, height, width]) {
  return preparation.longer_side || Math.max(1, Math.floor((Math.min(height, width) * 5) / 7));
}

// Frames an object as the data does.
function framed({ box: [left, top, right, bottom], levels }, shape, preparation) {
  const [, height, width] = shape, { kind, stroke, binary } = preparation;
  const longer = longerSide(preparation, shape), scale = Math.max(right - left, bottom - top) / longer;
  let [x, y] = preparation.by_mass ? moments(levels) : [(left + right) / 2, (top + bottom) / 2];
  // edges lie between pixels: half a pixel would be black or white by chance
  if (binary && (width - longer) % 2) [x, y] = [x + scale / 2, y + scale / 2];
  const box = [x - (scale * width) / 2, y - (scale * height) / 2, x + (scale * width) / 2, y + (scale * height) / 2];
  if (kind === 'garment') return cut(levels, width, height, box).levels;
  const fine = cut(levels, width * FINE, height * FINE, box);
  let mask = map(boxMean(fine, kind === 'shape' ? 2 : 1), (level) => level > 127);
  if (stroke) mask = withStroke(mask, stroke);
  const result = resized(map(mask, (inside) => 255 * inside), width, height).levels;
  return binary ? result.map((level) => (level > 127 ? 255 : 0)) : result;
}

// Widens or thins strokes, sampled FINE times, to about `width` pixels of the data.
function withStroke(mask, width) {
  let change = rounded(((width - strokeWidth(mask)) * FINE) / 2);
  if (change > 0) return grown(mask, change);
  for (; change < 0; change++) {
    const thinner = not(grown(not(mask), 1));
    if (!thinner.levels.some(Boolean)) break;
    mask = thinner;
  }
  return mask;
}

// The mean width of strokes in pixels of the data: twice the area by the length of the edge.
function strokeWidth({ width, height, levels }) {
  let edges = 0, area = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      area += levels[i];
      if (x > 0) edges += levels[i] !== levels[i - 1];
      if (y > 0) edges += levels[i] !== levels[i - width];
    }
  }
  return (2 * area) / Math.max(1, (edges * Math.PI) / 4) / FINE;
}

const rounded = (value) => Math.floor(value + 0.5);

function chosen({ inverted, objects }, shape, preparation, picture, candidate) {
  const { width, height } = objects[0].levels;
  const candidates = objects.map((object) => ({
    box: object.box.map((edge, i) => edge / (i % 2 ? height : width)), levels: framed(object, shape, preparation),
  }));
  const { box, levels } = candidates[candidate] ?? candidates[0];
  const cleaned = new Uint8Array(width * height);
  for (const object of objects) object.levels.levels.forEach((level, i) => (cleaned[i] = Math.max(cleaned[i], level)));
  const stages = [
    { title: 'photo', picture }, { title: 'found', picture: cropped(picture, box) },
    { title: 'cleaned', picture: pictureOf(cleaned, [1, height, width]) }, seen(levels, shape),
  ];
  return { x: scaled(levels), inverted, found: true, stages, candidates: candidates.map((one) => ({ box: one.box, x: scaled(one.levels) })) };
}

function cropped({ width, height, data }, box) {
  const [left, top, right, bottom] = box.map((edge, i) => rounded(edge * (i % 2 ? height : width)));
  const result = { width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
  result.data = new Uint8ClampedArray(4 * result.width * result.height);
  for (let y = 0; y < result.height; y++) {
    const from = 4 * ((top + y) * width + left);
    result.data.set(data.subarray(from, from + 4 * result.width), 4 * y * result.width);
  }
  return result;
}

const scaled = (levels) => Float32Array.from(levels, (level) => level / 255);
const seen = (levels, shape) => ({ title: 'as the model sees it', picture: pictureOf(levels, shape) });

function pictureOf(levels, [channels, height, width]) {
  const data = new Uint8ClampedArray(4 * height * width).fill(255);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = levels[(channels > 1 ? c : 0) * height * width + i];
  }
  return { width, height, data };
}
