// The decoder's runtime against answers worked out by hand, layer by layer. tests/unit/browser compares it with torch.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createDecoder } = await load('runtime/network.js');

// safetensors bytes. tensors: { name: [shape, values] }
function weights(layers, tensors, latentDim, numClasses = 0) {
  const header = {
    __metadata__: { layers: JSON.stringify(layers), latent_dim: `${latentDim}`, num_classes: `${numClasses}` },
  };
  let end = 0;
  for (const [name, [shape, values]] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * values.length)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  const floats = Float32Array.from(Object.values(tensors).flatMap(([, values]) => values));
  bytes.set(new Uint8Array(floats.buffer), 8 + text.length);
  return bytes;
}

// what layers make of an image (C, H, W), given as a list in torch's order; the result is in (H, W, C)
function through(layers, tensors, shape, image) {
  const all = [{ type: 'reshape', shape }, ...layers];
  return createDecoder(weights(all, tensors, image.length)).decode(image, 0);
}

function near(found, wanted, tolerance = 1e-6) {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `[${i}]: ${found[i]}, not ${value}`));
}

const range = (n, from = 0) => Array.from({ length: n }, (_, i) => from + i);
const LINEAR = { type: 'linear', weight: 'w', bias: 'b' };
const NINE = range(9, 1); // an image of 3 x 3

test('linear: a matrix and a bias', () => {
  const layers = [LINEAR, { type: 'reshape', shape: [1, 1, 2] }];
  const decoder = createDecoder(weights(layers, { w: [[2, 2], [1, 2, 3, 4]], b: [[2], [10, 20]] }, 2));
  near(decoder.decode([1, -1], 0), [9, 19]);
  const { latentDim, numClasses, height, width, channels } = decoder;
  assert.deepEqual([latentDim, numClasses, height, width, channels], [2, 0, 1, 2, 1]);
});

test('linear without a bias', () => {
  const layers = [{ ...LINEAR, bias: null }, { type: 'reshape', shape: [1, 1, 2] }];
  near(createDecoder(weights(layers, { w: [[2, 2], [1, 2, 3, 4]] }, 2)).decode([1, -1], 0), [-1, -1]);
});

for (const outputs of range(9, 1)) {
  test(`linear with ${outputs} outputs: every remainder of the four-column loop`, () => {
    const w = range(3 * outputs), b = range(outputs, 100);
    const layers = [LINEAR, { type: 'reshape', shape: [1, 1, outputs] }];
    const found = createDecoder(weights(layers, { w: [[outputs, 3], w], b: [[outputs], b] }, 3)).decode([1, 2, -1], 0);
    near(found, range(outputs).map((o) => 100 + o + w[3 * o] + 2 * w[3 * o + 1] - w[3 * o + 2]));
  });
}

test('a class is appended to the code as one_hot(y)', () => {
  const layers = [LINEAR, { type: 'reshape', shape: [1, 1, 1] }];
  const decoder = createDecoder(weights(layers, { w: [[1, 3], [1, 10, 100]], b: [[1], [0]] }, 1, 2));
  near(decoder.decode([5], 0), [15]);
  near(decoder.decode([5], 1), [105]);
});

test('one code after another: a call leaves nothing behind for the next', () => {
  const layers = [LINEAR, { type: 'relu' }, { type: 'reshape', shape: [1, 1, 2] }];
  const decoder = createDecoder(weights(layers, { w: [[2, 1], [1, -1]], b: [[2], [0, 0]] }, 1));
  near(decoder.decode([3], 0), [3, 0]);
  near(decoder.decode([-2], 0), [0, 2]);
  near(decoder.decode([3], 0), [3, 0]);
});

test('reshape: channel by channel becomes pixel by pixel', () => {
  near(through([], {}, [2, 1, 3], [1, 2, 3, 10, 20, 30]), [1, 10, 2, 20, 3, 30]);
});

const conv = (stride, padding) => ({ type: 'conv2d', weight: 'w', bias: 'b', stride, padding });

test('conv2d: nine neighbours summed, zeros outside', () => {
  const tensors = { w: [[1, 1, 3, 3], Array(9).fill(1)], b: [[1], [0.5]] };
  near(through([conv(1, 1)], tensors, [1, 3, 3], NINE), [12.5, 21.5, 16.5, 27.5, 45.5, 33.5, 24.5, 39.5, 28.5]);
});

test('conv2d is a cross-correlation: the kernel is not turned round', () => {
  const right = { w: [[1, 1, 3, 3], [0, 0, 0, 0, 0, 1, 0, 0, 0]], b: [[1], [0]] };
  near(through([conv(1, 1)], right, [1, 3, 3], NINE), [2, 3, 0, 5, 6, 0, 8, 9, 0]);
});

test('conv2d with stride 2 and no padding', () => {
  const corner = { w: [[1, 1, 1, 1], [1]], b: [[1], [0]] };
  near(through([conv(2, 0)], corner, [1, 3, 3], NINE), [1, 3, 7, 9]);
});

test('conv2d mixes channels', () => {
  const tensors = { w: [[2, 2, 1, 1], [1, 2, 3, 4]], b: [[2], [0, 1000]] };
  near(through([conv(1, 0)], tensors, [2, 1, 2], [1, 2, 10, 20]), [21, 1043, 42, 1086]);
});

const transposed = (stride, padding) => ({ type: 'conv_transpose2d', weight: 'w', bias: 'b', stride, padding });

test('conv_transpose2d: one pixel paints the kernel', () => {
  const tensors = { w: [[1, 1, 3, 3], NINE], b: [[1], [0.5]] };
  near(through([transposed(2, 0)], tensors, [1, 1, 1], [2]), NINE.map((v) => 2 * v + 0.5));
});

test('conv_transpose2d: padding cuts the border off', () => {
  const tensors = { w: [[1, 1, 4, 4], range(16)], b: [[1], [0]] };
  near(through([transposed(2, 1)], tensors, [1, 1, 1], [1]), [5, 6, 9, 10]);
});

test('conv_transpose2d: kernels that overlap add up', () => {
  const tensors = { w: [[1, 1, 3, 3], Array(9).fill(1)], b: [[1], [0]] };
  // 1 and 10 lie two apart: the middle column belongs to both
  near(through([transposed(2, 0)], tensors, [1, 1, 2], [1, 10]), Array(3).fill([1, 1, 11, 10, 10]).flat());
});

test('conv_transpose2d mixes channels', () => {
  const tensors = { w: [[2, 2, 1, 1], [1, 2, 3, 4]], b: [[2], [0, 1000]] }; // (in, out)
  near(through([transposed(1, 0)], tensors, [2, 1, 2], [1, 2, 10, 20]), [31, 1042, 62, 1084]);
});

test('upsample repeats each pixel', () => {
  const found = through([{ type: 'upsample', scale: 2 }], {}, [2, 1, 2], [1, 2, 10, 20]);
  near(found, [1, 10, 1, 10, 2, 20, 2, 20, 1, 10, 1, 10, 2, 20, 2, 20]);
});

for (const [layer, wanted] of [
  [{ type: 'relu' }, [0, 0, 2]],
  [{ type: 'leaky_relu', slope: 0.25 }, [-0.25, 0, 2]],
  [{ type: 'silu' }, [-0.2689414, 0, 1.7615942]],
  [{ type: 'sigmoid' }, [0.2689414, 0.5, 0.8807971]],
]) test(`${layer.type} of -1, 0 and 2`, () => near(through([layer], {}, [1, 1, 3], [-1, 0, 2]), wanted));

test('sigmoid and silu of large values stay finite', () => {
  near(through([{ type: 'sigmoid' }], {}, [1, 1, 2], [-1000, 1000]), [0, 1]);
  near(through([{ type: 'silu' }], {}, [1, 1, 2], [-1000, 1000]), [0, 1000]);
});

test('the bytes may begin anywhere in a larger buffer', () => {
  const layers = [LINEAR, { type: 'reshape', shape: [1, 1, 2] }];
  const bytes = weights(layers, { w: [[2, 1], [1, 2]], b: [[2], [0, 0]] }, 1);
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  near(createDecoder(larger.subarray(3)).decode([3], 0), [3, 6]);
});

const SMALL = [LINEAR, { type: 'reshape', shape: [1, 1, 2] }];
const GOOD = { w: [[2, 1], [1, 2]], b: [[2], [0, 0]] };
const cut = (length) => weights(SMALL, GOOD, 1).slice(0, length);
const renamed = (from, to) =>
  new TextEncoder().encode(new TextDecoder('latin1').decode(weights(SMALL, { ...GOOD, w: [[2, 1], [0, 0]] }, 1)).replace(from, to));

for (const [what, bytes, message] of [
  ['an unknown layer', () => weights([{ type: 'gelu' }], {}, 1), /unknown layer gelu/],
  ['layers that end in a vector', () => weights([LINEAR], GOOD, 1), /do not end in an image/],
  ['a missing tensor', () => weights(SMALL, { w: GOOD.w }, 1), /lack b/],
  ['a tensor of another shape', () => weights(SMALL, { ...GOOD, w: [[1, 2], [1, 2]] }, 1), /w has shape \[1,2\]/],
  ['a tensor of another type', () => renamed('F32', 'F16'), /w is F16 and not F32/],
  ['an image given to a linear layer', () => weights([{ type: 'reshape', shape: [1, 1, 1] }, LINEAR], GOOD, 1), /w meets an image/],
  ['a vector given to conv2d', () => weights([conv(1, 0)], GOOD, 1), /w meets a vector/],
  ['a vector given to conv_transpose2d', () => weights([transposed(1, 0)], GOOD, 1), /w meets a vector/],
  ['a vector given to upsample', () => weights([{ type: 'upsample', scale: 2 }], {}, 1), /upsample meets a vector/],
  ['an image of another size', () => weights([LINEAR, { type: 'reshape', shape: [1, 2, 2] }], GOOD, 1), /cannot reshape \[2\] to \[1,2,2\]/],
  ['bytes that end in the length', () => cut(4), /cut off/],
  ['bytes that end in the header', () => cut(40), /cut off/],
  ['bytes that end in the tensors', () => cut(-2), /cut off/],
]) test(`${what} is refused by name`, () => assert.throws(() => createDecoder(bytes()), message));
