// WebAssembly that a browser refuses, and what the vector kernels do at their edges.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { assemble, createFunction, f32x4, i32, loopWhile } = await load('runtime/network/assembler.js');
const { createPlain } = await load('runtime/network/plain.js');
const { createMeasure, createSimd, whyNoSimd } = await load('runtime/network/simd.js');

const values = (n, from = 0) => Array.from({ length: n }, (_, i) => Math.fround(Math.sin(from + 0.7 * i)));

// Runs `use` with plain arithmetic and with vectors, and compares the arrays that it returns.
function same(use) {
  const measure = createMeasure();
  use({ ...measure, multiply() {}, patches() {}, scatter() {} });
  const wanted = use(createPlain()), found = use(createSimd(measure.bytes));
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-5, `[${i}]: ${found[i]}, not ${value}`));
}

test('the browser here runs vectors', () => assert.equal(whyNoSimd(), ''));

for (const m of [1, 2, 3, 4, 5, 9]) {
  for (const n of [1, 7, 8, 9, 16]) {
    test(`a product of ${m} rows and ${n} columns, for each remainder of four steps`, () => {
      for (const k of [1, 2, 3, 4, 5, 8, 11]) {
        same((arithmetic) => {
          const width = arithmetic.width(n), rows = arithmetic.floats(m * (k + 3)), out = arithmetic.floats(m * width);
          const matrix = arithmetic.matrix(n, k);
          rows.set(values(m * (k + 3)));
          matrix.fill(values(n * k, 5));
          matrix.bias.set(values(n, 9));
          arithmetic.multiply(rows, 0, k + 3, m, matrix, out, 0, width);
          return Array.from({ length: m * n }, (_, i) => out[Math.floor(i / n) * width + (i % n)]);
        });
      }
    });
  }
}

for (const depth of [1, 3, 4, 6, 8]) {
  test(`patches of ${depth} channels, and their sum, with zeros outside the image`, () => {
    const windows = { height: 5, width: 4, pixel: 9, depth, kernel: [3, 2], dilation: [2, 1], columns: 4, stride: 2, left: -1 };
    const length = 6 * depth, step = length + 2;
    for (const top of [-3, 0, 2]) {
      same((arithmetic) => {
        const image = arithmetic.floats(5 * 4 * 9), patches = arithmetic.floats(4 * step);
        image.set(values(image.length));
        arithmetic.patches(image, 1, windows, top, patches, step);
        return patches;
      });
      same((arithmetic) => {
        const image = arithmetic.floats(5 * 4 * 9), patches = arithmetic.floats(4 * step);
        patches.set(values(patches.length));
        arithmetic.scatter(image, 1, windows, top, patches, step);
        return image;
      });
    }
  });
}

test('numbers of any size are written as WebAssembly reads them', () => {
  const wanted = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, -8192, 8192, 2 ** 31 - 1, -(2 ** 31)];
  const store = (address, value) => [...address, ...value, 0x36, 2, 0]; // of an integer
  const write = createFunction('write', ['to'], ({ to }) => wanted.map((n) => [...store(to.get, i32.constant(n)), ...to.increase(i32.constant(4))]));
  const memory = new WebAssembly.Memory({ initial: 1 });
  new WebAssembly.Instance(new WebAssembly.Module(assemble([write])), { host: { memory } }).exports.write(8);
  assert.deepEqual([...new Int32Array(memory.buffer, 8, wanted.length)], wanted);
});

test('a loop over vectors ends where it should', () => {
  const add = createFunction('add', ['to', 'count'], ({ to, count }) => loopWhile(i32.less(i32.constant(0), count.get),
    f32x4.store(to.get, f32x4.add(f32x4.load(to.get), f32x4.loadSplat(to.get, 12))),
    to.increase(i32.constant(16)), count.increase(i32.constant(-1))));
  const memory = new WebAssembly.Memory({ initial: 1 }), floats = new Float32Array(memory.buffer);
  floats.set([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  new WebAssembly.Instance(new WebAssembly.Module(assemble([add])), { host: { memory } }).exports.add(0, 2);
  assert.deepEqual([...floats.subarray(0, 9)], [5, 6, 7, 8, 13, 14, 15, 16, 9]);
});

test('without memory for a network there is no arithmetic', () => {
  assert.equal(createSimd(2 ** 33), null);
});
