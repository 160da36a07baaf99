// A picture as a data URI, written without a canvas: browsers that protect against fingerprinting alter what a page reads
// from one.

import { toBase64 } from './base64.js';

// rgba: bytes (height * width * 4); alpha is ignored. Returns a BMP of 24 bits a pixel.
export function bitmapUri(rgba, width, height) {
  const row = (3 * width + 3) & ~3, start = 54, bytes = new Uint8Array(start + row * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]); // "BM"
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true); // the size of this header
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true); // the first row is on top
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++) {
    let to = start + y * row;
    for (let from = 4 * y * width; from < 4 * (y + 1) * width; from += 4, to += 3) {
      [bytes[to], bytes[to + 1], bytes[to + 2]] = [rgba[from + 2], rgba[from + 1], rgba[from]];
    }
  }
  return `data:image/bmp;base64,${toBase64(bytes)}`;
}
