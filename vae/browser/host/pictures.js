// Decoded images as grids of pictures, and as files.
import { toBase64 } from '../runtime/base64.js';
import { bitmapUri } from '../runtime/bitmap.js';
import { download } from '../runtime/download.js';
import { fill } from '../runtime/pixels.js';
import { encodeGif } from '../runtime/gif.js';
import { encodePng } from '../runtime/png.js';
import { mount as mountGrid } from '../widgets/picture_grid/picture_grid.js';

const SCALE = 4; // px a pixel, in a file
const DELAY = 12; // hundredths of a second a frame

// images: arrays (H * W * C) in [0, 1]. Returns { rgba, width, height } of all, `across` in a row, and which are not finite.
export function tile(images, across, { height, width, channels }) {
  const down = Math.ceil(images.length / across), sheet = new Uint8ClampedArray(4 * across * down * width * height);
  const one = new Uint8ClampedArray(4 * width * height), missing = [];
  images.forEach((image, i) => {
    if (!fill(one, image, 255, channels)) missing.push(i);
    const left = (i % across) * width, top = Math.floor(i / across) * height;
    for (let y = 0; y < height; y++) {
      sheet.set(one.subarray(4 * y * width, 4 * (y + 1) * width), 4 * ((top + y) * across * width + left));
    }
  });
  return { rgba: sheet, width: across * width, height: down * height, missing };
}

const GRID = {
  columns: null, size: 72, wrap: false, selected: null, row_labels: null, captions: null, clickable: true, name: 'pictures',
  cells: null, missing: [], note: '',
};

// Returns the props of the widget picture_grid for images. options: labels, columns, and what else the widget takes.
export function gridProps(images, shape, options) {
  const across = Math.min(images.length, options.columns ?? 32), sheet = tile(images, across, shape);
  const count = sheet.missing.length;
  return {
    ...GRID, sheet: bitmapUri(sheet.rgba, sheet.width, sheet.height), n: images.length, across,
    down: Math.ceil(images.length / across), width: shape.width, height: shape.height, missing: sheet.missing,
    note: count ? `${count} of these ${images.length} pictures hold a value that is not a finite number, so they are not shown.` : '',
    ...options,
  };
}

// Returns the props of the widget picture_grid for pictures of a sheet of thumbnails { url, width, height, across, down }.
// cells: where they are on it
export function sheetProps({ url, width, height, across, down }, cells, options) {
  return { ...GRID, sheet: url, n: cells.length, cells, across, down, width, height, ...options };
}

// Returns the picture of the current z as text, where no browser can decode it; "" elsewhere.
export function pixelsOf({ answers, place: { z } }) {
  return answers ? toBase64(Uint8ClampedArray.from(answers.decode(z), (value) => 255 * value)) : '';
}

// Returns { show(props), destroy } of a grid of pictures that is mounted when it is first shown. pick(i): see the widget
export function createGrid(place, pick) {
  let grid = null;
  return {
    show(props) {
      if (grid) grid.update(props);
      else grid = mountGrid(place, props, (_, i) => pick(i));
    },
    destroy: () => grid?.destroy(),
  };
}

// Offers a picture as a PNG. rgba: see tile. credit: the model and its licence, which the file names.
export async function downloadPng(picture, name, credit) {
  download(await encodePng(picture, { scale: SCALE, copyright: credit }), 'image/png', name);
}

// Offers an animation of images (H * W * C) in [0, 1], there and back, as a GIF. host: names the credit and the data
export function downloadGif(images, shape, name, { credit, data: { crisp } }) {
  const frames = images.map((image) => Uint8ClampedArray.from(image, (value) => 255 * value));
  const file = encodeGif([...frames, ...frames.slice(1, -1).reverse()], { ...shape, scale: crisp ? 8 : 4, delay: DELAY, comment: credit });
  download(file, 'image/gif', name);
}

// Returns the index of the code that is z, null for none.
export function indexOfCode(zs, z) {
  const found = zs.findIndex((one) => one.every((value, d) => Math.abs(value - z[d]) < 1e-3));
  return found < 0 ? null : found;
}
