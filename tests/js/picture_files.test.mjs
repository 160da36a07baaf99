// What a file is and how large its picture, tiles of a photo, transparency.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { MAX_SIDE, readHeader, Refusal } = await load('runtime/picture_header.js');
const { addTile, check, createSums, onGround } = await load('runtime/decode.js');
const { areaAverage } = await load('runtime/area_average.js');

const bytesOf = (base64) => Uint8Array.from(Buffer.from(base64, 'base64'));
const textBytes = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));

// black pictures of 8 x 5 px, written by Pillow
const FILES = {
  PNG: 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAFCAIAAAD38zoCAAAADElEQVR4nGNgGEAAAAB9AAEdP9gzAAAAAElFTkSuQmCC',
  JPEG:
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAAFAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AI6//9k=',
  WebP: 'UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoIAAUAAUAmJaQAA3AA/v02aAA=',
  'WebP, lossless': 'UklGRhoAAABXRUJQVlA4TA4AAAAvBwABAAcQEf0PRET/Aw==',
  'WebP, extended': 'UklGRk4AAABXRUJQVlA4WAoAAAAIAAAABwAABAAAVlA4TA4AAAAvBwABAAcQEf0PRET/A0VYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA=',
  GIF: 'R0lGODdhCAAFAIEAAAAAAAAAAAAAAAAAACwAAAAACAAFAAAIDQABCBxIsKDBgwgJBgQAOw==',
  AVIF:
    'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAIwAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAACAAAAAUAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAK21kYXQSAAoIGAi8aICGg0IyFRTHh4ZlAgggnlAAAABIWtlc1jAXYA==',
};

for (const [kind, base64] of Object.entries(FILES)) {
  const bytes = bytesOf(base64);

  test(`the size of a ${kind} file stands in its header`, () => {
    assert.deepEqual(readHeader(bytes), { format: kind.split(',')[0], width: 8, height: 5 });
  });

  test(`a ${kind} file that is cut off anywhere is refused with a sentence`, () => {
    for (let length = 1; length < bytes.length - 1; length++) {
      assert.throws(() => readHeader(bytes.subarray(0, length)), Refusal, `${length} bytes`);
    }
    assert.throws(() => readHeader(bytes.subarray(0, Math.floor(0.8 * bytes.length))), /damaged or cut off/);
  });
}

test('a HEIC file is known by its brand; its largest image counts', () => {
  const bytes = bytesOf(FILES.AVIF);
  bytes.set(textBytes('heic'), 8);
  assert.equal(readHeader(bytes).format, 'HEIC');
});

test('a thumbnail in the header of a JPEG neither gives its size nor ends it', () => {
  const jpeg = bytesOf(FILES.JPEG), thumbnail = jpeg.slice();
  const segment = Uint8Array.of(0xff, 0xe1, (thumbnail.length + 2) >> 8, (thumbnail.length + 2) & 255, ...thumbnail);
  new DataView(segment.buffer).setUint16(4 + thumbnail.indexOf(0x0b) + 2, 99);
  const whole = Uint8Array.of(...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2));
  assert.deepEqual(readHeader(whole), { format: 'JPEG', width: 8, height: 5 });
  assert.throws(() => readHeader(whole.subarray(0, -2)), /cut off/);
  assert.deepEqual(readHeader(Uint8Array.of(...whole, 1, 2, 3)).width, 8, 'some cameras append data');
});

test('a bomb is refused by its header, before it is decoded', () => {
  const sized = (width, height) => {
    const bytes = bytesOf(FILES.PNG);
    new DataView(bytes.buffer).setUint32(16, width);
    new DataView(bytes.buffer).setUint32(20, height);
    return bytes;
  };
  assert.throws(() => readHeader(sized(20_000, 20_000)), /400 megapixels/);
  assert.throws(() => readHeader(sized(MAX_SIDE + 1, 1)), /30001 pixels long/);
  assert.throws(() => readHeader(sized(0, 5)), /damaged/);
  assert.equal(readHeader(sized(10_000, 1)).width, 10_000);
});

for (const [start, said] of [
  ['', /empty/], ['%PDF-1.7\n', /a PDF. Take a screenshot/], ['<?xml version="1.0"?>\n<svg xmlns=""></svg>', /SVG/], ['<svg>', /SVG/],
  ['BM\x36\x24\0\0\0\0\0\0', /BMP/], ['II*\0', /TIFF/], ['MM\0*', /TIFF/], ['8BPS', /Photoshop/], ['\0\0\x01\0', /icon/],
  ['\0\0\0\x18ftypisom', /video/], ['PK\x03\x04', /zip archive/], ['<!DOCTYPE html><p>', /web page/], ['hello, world', /text file/],
  ['\x89PNG but not quite\0\x01', /not a picture/],
]) {
  test(`refused by what it is: ${JSON.stringify(start)}`, () => {
    assert.throws(() => readHeader(textBytes(start)), (error) => error instanceof Refusal && said.test(error.message));
  });
}

test('a file that is too large, or cannot be read, is refused with a sentence', async () => {
  const png = new Blob([bytesOf(FILES.PNG)]);
  assert.equal((await check(png, 100)).format, 'PNG');
  await assert.rejects(check(png, 10), Refusal);
  const gone = { size: 1, arrayBuffer: () => Promise.reject(new Error('NotFoundError')) };
  await assert.rejects(check(gone, 10), (error) => error instanceof Refusal && /Copy it to this device/.test(error.message));
});

// ---- tiles

function tiled(data, width, height, toWidth, toHeight, side) {
  const sums = createSums(width, height, toWidth, toHeight);
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      const tile = { width: Math.min(side, width - left), height: Math.min(side, height - top), data: [] };
      for (let y = 0; y < tile.height; y++) {
        const from = 4 * ((top + y) * width + left);
        tile.data.push(...data.slice(from, from + 4 * tile.width));
      }
      addTile(sums, tile, left, top);
    }
  }
  return sums;
}

test('a picture in tiles has the area averages of the whole', () => {
  const [width, height] = [37, 23];
  const data = Array.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 255 : (i * 7919) % 256));
  for (const [across, down] of [[37, 23], [20, 11], [7, 4], [1, 1], [13, 1]]) {
    const whole = areaAverage(data, width, height, 4, across, down);
    for (const side of [64, 10, 1]) {
      const { values } = tiled(data, width, height, across, down, side);
      whole.forEach((value, i) => assert.ok(Math.abs((i % 4 === 3 ? 255 : 1) * values[i] - value) < 1e-3, `${across} x ${down}, tiles of ${side}: [${i}]`));
    }
  }
});

// ---- transparency

const grounds = (tone, covered) => { // the ground behind n pixels of a tone, of which a share is opaque
  const n = 100, data = Array.from({ length: 4 * n }, (_, i) => (i % 4 === 3 ? (i < 4 * n * covered ? 255 : 0) : tone));
  return onGround(tiled(data, n, 1, n, 1, n)).data[4 * (n - 1)];
};

test('ink on a transparent ground is laid on the opposite tone', () => {
  assert.equal(grounds(255, 0.3), 0);
  assert.equal(grounds(20, 0.3), 255);
});

test('a transparent corner or shadow becomes like the rest', () => {
  assert.equal(grounds(240, 0.9), 255);
  assert.equal(grounds(20, 0.9), 0);
});

test('a picture that is wholly transparent is white', () => assert.equal(grounds(0, 0), 255));

test('half a pixel of ink is half a pixel of ground', () => {
  const { data } = onGround({ toWidth: 1, toHeight: 1, values: Float64Array.of(0, 0, 0, 0.5) });
  assert.deepEqual([...data], [128, 128, 128, 255]);
});
