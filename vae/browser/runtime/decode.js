// A file becomes pixels: at most MAX_DECODED on the longer side, upright, without transparency.
import { readHeader, Refusal } from './picture_header.js';

export const MAX_DECODED = 1024; // px
const TILE = 1024; // px of a side: iOS limits the size of a canvas, so a photo is never on one as a whole
const MAX_DIFFERENCE = 4; // of 255: smaller changes of the pixels that a page reads do not matter
const MIN_COVERED = 0.7; // of a picture: with less, what is opaque is ink

// Returns { width, height, data }, RGBA and opaque, of a Blob. Raises Refusal, whose message is for the visitor.
export async function decode(file, maxBytes = Infinity) {
  const { format } = await check(file, maxBytes);
  const address = URL.createObjectURL(file);
  try {
    const image = await loaded(address, format);
    return await reduce(image, image.naturalWidth, image.naturalHeight);
  } finally {
    URL.revokeObjectURL(address);
  }
}

// Returns the header of a file that may be decoded. Raises Refusal.
export async function check(file, maxBytes) {
  if (file.size > maxBytes) throw new Refusal(`This file is larger than ${Math.round(maxBytes / 2 ** 20)} MB. Choose a smaller one.`);
  return readHeader(new Uint8Array(await bytesOf(file)));
}

// A file from a phone's cloud, or one that has changed since it was chosen, may not be there.
async function bytesOf(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new Refusal('The browser cannot read this file. Copy it to this device, then choose it again.');
  }
}

async function loaded(address, format) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    throw new Refusal(
      format === 'HEIC' || format === 'AVIF'
        ? `This browser cannot open ${format} pictures. Save the picture as JPEG, or open this page in Safari.`
        : `This ${format} file is damaged and cannot be opened. Save it again, or choose another one.`,
    );
  }
  return image;
}

// Averages what can be drawn on a canvas (an image or a video frame) of width x height pixels.
export async function reduce(source, width, height) {
  const scale = Math.min(1, MAX_DECODED / Math.max(width, height));
  const sums = createSums(width, height, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.min(TILE, width), Math.min(TILE, height)];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      const [across, down] = [Math.min(TILE, width - left), Math.min(TILE, height - top)];
      context.clearRect(0, 0, across, down);
      context.drawImage(source, left, top, across, down, 0, 0, across, down);
      addTile(sums, context.getImageData(0, 0, across, down), left, top);
    }
    await new Promise((resolve) => setTimeout(resolve)); // the page stays responsive
  }
  return onGround(sums);
}

// ---- area averages of a picture that comes in tiles

export function createSums(width, height, toWidth, toHeight) {
  return { width, height, toWidth, toHeight, values: new Float64Array(4 * toWidth * toHeight) };
}

// Adds the pixels of a tile, red, green and blue times alpha, to the averages that they belong to.
export function addTile(sums, tile, left, top) {
  const columns = shares(left, tile.width, sums.toWidth / sums.width, sums.toWidth);
  const rows = shares(top, tile.height, sums.toHeight / sums.height, sums.toHeight);
  const line = new Float64Array(4 * tile.width); // the sum of the tile's rows that lie in one row of averages
  let row = rows.first[0];
  const next = () => {
    addLine(sums, row, line, columns);
    line.fill(0);
    row += 1;
  };
  for (let y = 0; y < tile.height; y++) {
    if (rows.first[y] > row) next();
    addRow(line, tile.data, y * line.length, rows.share[y]);
    if (rows.share[y] < 1) {
      next();
      addRow(line, tile.data, y * line.length, 1 - rows.share[y]);
    }
  }
  if (row < sums.toHeight) addLine(sums, row, line, columns);
}

// For each of n pixels from start on: the first average that it lies in, and which share of it does. The rest lies in
// the next one.
function shares(start, n, scale, to) {
  const first = new Int32Array(n), share = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = (start + i) * scale, until = (start + i + 1) * scale;
    first[i] = Math.min(Math.floor(from + 1e-9), to - 1);
    share[i] = Math.min(1, (first[i] + 1 - from) / (until - from));
    if (first[i] === to - 1) share[i] = 1;
  }
  return { first, share };
}

function addRow(line, data, from, share) {
  for (let i = 0; i < line.length; i += 4, from += 4) {
    const weight = (share * data[from + 3]) / 255;
    line[i] += weight * data[from];
    line[i + 1] += weight * data[from + 1];
    line[i + 2] += weight * data[from + 2];
    line[i + 3] += weight;
  }
}

function addLine({ width, height, toWidth, toHeight, values }, row, line, { first, share }) {
  const scale = (toWidth / width) * (toHeight / height);
  for (let x = 0, from = 0; x < first.length; x++) {
    const here = scale * share[x], rest = scale - here, at = 4 * (row * toWidth + first[x]);
    for (let c = 0; c < 4; c++, from++) {
      values[at + c] += here * line[from];
      if (rest > 0) values[at + 4 + c] += rest * line[from];
    }
  }
}

// ---- transparency

// Lays averages on one ground. A picture that is mostly transparent is ink, and its ground the opposite of its tone;
// otherwise only a corner or a shadow is transparent, and the ground is like the rest.
export function onGround({ toWidth, toHeight, values }) {
  let covered = 0, tone = 0;
  for (let i = 0; i < values.length; i += 4) {
    covered += values[i + 3];
    tone += 19595 * values[i] + 38470 * values[i + 1] + 7471 * values[i + 2];
  }
  const isLight = covered > 0 && tone / 65536 / covered > 127.5, isInk = covered / (toWidth * toHeight) < MIN_COVERED;
  const ground = isLight !== isInk ? 255 : 0;
  const data = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i += 4) {
    for (let c = 0; c < 3; c++) data[i + c] = values[i + c] + (1 - values[i + 3]) * ground;
    data[i + 3] = 255;
  }
  return { width: toWidth, height: toHeight, data };
}

// ---- browsers that protect against fingerprinting

let probed = null;

// Returns whether pixels drawn on a canvas are read back as they were. Firefox's resistFingerprinting returns noise.
export function probe() {
  return (probed ??= readsBack(document.createElement('canvas')));
}

function readsBack(canvas) {
  const size = 16;
  [canvas.width, canvas.height] = [size, size];
  try {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const colours = Array.from({ length: size * size }, (_, i) => [(37 * i) % 256, (91 * i) % 256, (151 * i) % 256]);
    colours.forEach((colour, i) => {
      context.fillStyle = `rgb(${colour})`;
      context.fillRect(i % size, Math.floor(i / size), 1, 1);
    });
    const { data } = context.getImageData(0, 0, size, size);
    return colours.flat().every((value, i) => Math.abs(data[4 * Math.floor(i / 3) + (i % 3)] - value) <= MAX_DIFFERENCE);
  } catch {
    return false;
  }
}
