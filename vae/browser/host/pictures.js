// Decoded images as grids of pictures, and as files.
import { bitmapUri } from '../runtime/bitmap.js';
import { download } from '../runtime/download.js';
import { fill } from '../runtime/pixels.js';

const SCALE = 4; // px a pixel, in a file

// images: arrays (H * W * C) in [0, 1]. Returns { rgba, width, height } of all, `across` in a row, and which are not finite.
export function tile(images, across, { height, width, channels }, scale = 255) {
  const down = Math.ceil(images.length / across), sheet = new Uint8ClampedArray(4 * across * down * width * height);
  const one = new Uint8ClampedArray(4 * width * height), missing = [];
  images.forEach((image, i) => {
    if (!fill(one, image, scale, channels)) missing.push(i);
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
export function gridProps(images, shape, options, scale = 255) {
  const across = Math.min(images.length, options.columns ?? 32), sheet = tile(images, across, shape, scale);
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

// Offers a picture as a PNG. rgba: see tile.
export function downloadPng({ rgba, width, height }, name) {
  const small = new OffscreenCanvas(width, height), large = new OffscreenCanvas(width * SCALE, height * SCALE);
  small.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
  const context = large.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, large.width, large.height);
  large.convertToBlob().then((blob) => download(blob, 'image/png', name));
}
