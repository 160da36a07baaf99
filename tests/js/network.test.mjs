// The runtime against answers worked out by hand, operation by operation. tests/unit/browser compares it with torch.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createModel, createNetwork, readSafetensors } = await load('runtime/network.js');

// safetensors bytes. tensors: { name: [shape, values] }
function weights(tensors) {
  const header = {};
  let end = 0;
  for (const [name, [shape, values]] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * values.length)] };
  }
  const floats = Float32Array.from(Object.values(tensors).flatMap(([, values]) => values));
  return file(header, new Uint8Array(floats.buffer));
}

function file(header, data) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

// a graph whose nodes read each other in a chain from x, and further inputs of their own: [op, fields, ...inputs]
function chain(shape, ...nodes) {
  const named = nodes.map(([op, fields = {}, ...inputs], i) => (
    { name: `n${i}`, op, inputs: [i ? `n${i - 1}` : 'x', ...inputs], ...fields }));
  return { inputs: [{ name: 'x', shape }], nodes: named, outputs: [{ name: 'out', node: named.at(-1)?.name ?? 'x' }] };
}

function network(graph, tensors = {}, options = {}) {
  return createNetwork(graph, readSafetensors(weights(tensors)).tensor, options);
}

// runs a network in plain JavaScript, and then as the browser does: in WebAssembly, to float32
function run(graph, tensors, x) {
  const plain = network(graph, tensors, { plain: true }), simd = network(graph, tensors);
  assert.deepEqual([plain.isPlain, simd.isPlain], [true, false]);
  const [wanted] = plain.run(x), [found] = simd.run(x);
  assert.deepEqual([...found].map(Math.fround), [...wanted].map(Math.fround));
  return wanted;
}

// what nodes make of an image (C, H, W), given as a list in torch's order; the result is in (H, W, C)
const through = (nodes, tensors, shape, image) => (
  run(chain([1, image.length], ['reshape', { shape: [1, ...shape] }], ...nodes), tensors, image));

function near(found, wanted, tolerance = 1e-6) {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `[${i}]: ${found[i]}, not ${value}`));
}

const range = (n, from = 0) => Array.from({ length: n }, (_, i) => from + i);
const LINEAR = ['linear', {}, '@w', '@b'];
const NINE = range(9, 1); // an image of 3 x 3

test('linear: a matrix and a bias', () => {
  const built = network(chain([1, 2], LINEAR), { w: [[2, 2], [1, 2, 3, 4]], b: [[2], [10, 20]] });
  near(built.run([1, -1])[0], [9, 19]);
  assert.deepEqual(built.inputs, [{ name: 'x', shape: [1, 2] }]);
  assert.deepEqual(built.outputs, [{ name: 'out', shape: [1, 2] }]);
});

test('linear without a bias', () => {
  near(run(chain([1, 2], ['linear', {}, '@w']), { w: [[2, 2], [1, 2, 3, 4]] }, [1, -1]), [-1, -1]);
});

for (const outputs of range(9, 1)) {
  test(`linear with ${outputs} outputs: every remainder of the four-column loop`, () => {
    const w = range(3 * outputs), b = range(outputs, 100);
    const found = run(chain([1, 3], LINEAR), { w: [[outputs, 3], w], b: [[outputs], b] }, [1, 2, -1]);
    near(found, range(outputs).map((o) => 100 + o + w[3 * o] + 2 * w[3 * o + 1] - w[3 * o + 2]));
  });
}

test('one input after another: a run leaves nothing behind for the next, and allocates no output', () => {
  const built = network(chain([1, 1], LINEAR, ['relu']), { w: [[2, 1], [1, -1]], b: [[2], [0, 0]] });
  const first = built.run([3]);
  near(first[0], [3, 0]);
  const second = built.run([-2]);
  assert.ok(first === second && first[0] === second[0]);
  near(second[0], [0, 2]);
  near(built.run([3])[0], [3, 0]);
});

test('a value of any node can be read, in the order of torch', () => {
  const built = network(chain([1, 2, 1, 2], ['neg'], ['relu'], ['flip', { dims: [3] }]));
  built.run([1, -10, 2, -20]); // (H, W, C)
  assert.deepEqual(built.value('n0'), { shape: [1, 2, 1, 2], values: Float64Array.of(-1, -2, 10, 20) });
  near(built.value('n2').values, [0, 0, 20, 10]);
  near(built.value('x').values, [1, 2, -10, -20]);
  assert.throws(() => built.value('n9'), /no value n9/);
});

test('reshape: channel by channel becomes pixel by pixel', () => {
  near(through([], {}, [2, 1, 3], [1, 2, 3, 10, 20, 30]), [1, 10, 2, 20, 3, 30]);
});

const conv = (stride, padding) => (
  ['conv2d', { stride: [stride, stride], padding: [padding, padding], dilation: [1, 1], groups: 1 }, '@w', '@b']);

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

const transposed = (stride, padding) => ['conv_transpose2d', { ...conv(stride, padding)[1], output_padding: [0, 0] }, '@w', '@b'];

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
  const twice = ['upsample_nearest2d', { size: [2, 4], scale: [0.5, 0.5], exact: false }];
  near(through([twice], {}, [2, 1, 2], [1, 2, 10, 20]), [1, 10, 1, 10, 2, 20, 2, 20, 1, 10, 1, 10, 2, 20, 2, 20]);
});

for (const [node, wanted] of [
  [['relu'], [0, 0, 2]],
  [['leaky_relu', { slope: 0.25 }], [-0.25, 0, 2]],
  [['silu'], [-0.2689414, 0, 1.7615942]],
  [['sigmoid'], [0.2689414, 0.5, 0.8807971]],
  [['clamp', { min: null, max: 1 }], [-1, 0, 1]],
  [['minimum', {}, 'Infinity'], [-1, 0, 2]],
  [['maximum', {}, '-Infinity'], [-1, 0, 2]],
  [['mul', {}, 'x'], [1, 0, 4]],
  [['round'], [-1, 0, 2]],
]) test(`${node[0]} of -1, 0 and 2`, () => near(run(chain([1, 3], node), {}, [-1, 0, 2]), wanted));

test('sigmoid and silu of large values stay finite', () => {
  near(run(chain([1, 2], ['sigmoid']), {}, [-1000, 1000]), [0, 1]);
  near(run(chain([1, 2], ['silu']), {}, [-1000, 1000]), [0, 1000]);
});

test('round: halves go to the even number', () => {
  near(run(chain([1, 6], ['round']), {}, [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]), [-2, -2, 0, 0, 2, 2]);
});

test('nodes of tensors alone are computed once', () => {
  const graph = chain([1, 2], ['add', {}, 'twice']);
  graph.nodes.unshift({ name: 'twice', op: 'mul', inputs: ['@w', 2] });
  let reads = 0;
  const built = createNetwork(graph, () => {
    reads += 1;
    return { shape: [2], values: [1, 2] };
  });
  near(built.run([10, 20])[0], [12, 24]);
  const before = reads;
  near(built.run([0, 0])[0], [2, 4]);
  assert.equal(reads, before);
});

test('NaN goes through: it is not taken for 0 or for the largest', () => {
  for (const op of ['relu', 'sigmoid']) assert.ok(Number.isNaN(run(chain([1, 1], [op]), {}, [NaN])[0]));
  assert.ok(Number.isNaN(run(chain([1, 3], ['amax', { dims: [1], keepdim: false }]), {}, [1, NaN, 3])[0]));
});

// ---- safetensors

test('the bytes may begin anywhere in a larger buffer', () => {
  const bytes = weights({ w: [[2, 1], [1, 2]] });
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  near(readSafetensors(larger.subarray(3)).tensor('w').values, [1, 2]);
});

test('types of numbers', () => {
  const bytes = file({
    half: { dtype: 'F16', shape: [4], data_offsets: [0, 8] }, bfloat: { dtype: 'BF16', shape: [2], data_offsets: [8, 12] },
    double: { dtype: 'F64', shape: [1], data_offsets: [12, 20] }, long: { dtype: 'I64', shape: [], data_offsets: [20, 28] },
    int: { dtype: 'I32', shape: [1], data_offsets: [28, 32] },
  }, new Uint8Array([
    ...new Uint8Array(Uint16Array.of(0x3c00, 0xc500, 0x0001, 0xfc00, 0x3fc0, 0xc040).buffer),
    ...new Uint8Array(Float64Array.of(0.1).buffer), ...new Uint8Array(BigInt64Array.of(-7n).buffer),
    ...new Uint8Array(Int32Array.of(-9).buffer),
  ]));
  const { names, tensor } = readSafetensors(bytes);
  assert.deepEqual(names, ['half', 'bfloat', 'double', 'long', 'int']);
  assert.deepEqual([...tensor('half').values], [1, -5, 2 ** -24, -Infinity]);
  assert.deepEqual([...tensor('bfloat').values], [1.5, -3]);
  assert.deepEqual(['double', 'long', 'int'].map((name) => tensor(name).values[0]), [0.1, -7, -9]);
});

const GOOD = { w: [[2, 1], [1, 2]], b: [[2], [0, 0]] };
const cut = (length) => weights(GOOD).slice(0, length);

for (const [what, read, message] of [
  ['a missing tensor', () => readSafetensors(weights(GOOD)).tensor('c'), /lack c/],
  ['bytes that end in the length', () => readSafetensors(cut(4)), /cut off/],
  ['bytes that end in the header', () => readSafetensors(cut(40)), /cut off/],
  ['bytes that end in a tensor', () => readSafetensors(cut(-2)).tensor('b'), /cut off in b/],
  ['no bytes', () => readSafetensors(new Uint8Array()), /cut off/],
  ['a damaged header', () => readSafetensors(weights(GOOD).fill(1, 8, 12)), /header of the weights is damaged/],
  ['an unknown type', () => readSafetensors(file({ w: { dtype: 'F4', shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4))).tensor('w'), /type F4/],
  ['offsets that do not fit', () => readSafetensors(file({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, new Uint8Array(8))).tensor('w'), /w does not fill/],
  ['offsets before the start', () => readSafetensors(file({ w: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }, new Uint8Array(8))).tensor('w'), /w does not fill/],
]) test(`safetensors: ${what} is refused by name`, () => assert.throws(read, message));

// ---- damaged graphs

const CONV = { w: [[1, 1, 1, 1], [1]], b: [[1], [0]] };
const image = [1, 1, 2, 2];
const without = (graph, key) => {
  delete graph.nodes[0][key];
  return graph;
};

for (const [what, graph, message, tensors = GOOD] of [
  ['an unknown operation', chain([1, 1], ['erosion']), /n0: unknown operation erosion/],
  ['an operation with a name of Object', chain([1, 1], ['constructor']), /n0: unknown operation constructor/],
  ['a missing input', chain([1, 1], ['add', {}, 'y']), /n0: it reads y, which is not there/],
  ['a node that reads itself', chain([1, 1], ['add', {}, 'n0']), /n0: it reads n0/],
  ['a missing tensor', chain([1, 1], ['linear', {}, '@v']), /n0: the weights lack v/],
  ['two nodes of one name', { ...chain([1, 1], ['relu']), nodes: Array(2).fill({ name: 'n0', op: 'relu', inputs: ['x'] }) }, /n0: there are two/],
  ['a weight of another shape', chain([1, 3], LINEAR), /n0: the weight has shape \[2,1\] and not \[\?,3\]/],
  ['a bias of another shape', chain([1, 1], LINEAR), /n0: the bias has shape \[3\]/, { ...GOOD, b: [[3], [0, 0, 0]] }],
  ['a convolution of a vector', chain([1, 4], conv(1, 0)), /n0: it reads \[1,4\] and not images/, CONV],
  ['a convolution without a stride', without(chain(image, conv(1, 0)), 'stride'), /n0: stride cannot be undefined/, CONV],
  ['a convolution that leaves no pixel', chain([1, 1, 1, 1], conv(1, 0)), /n0: impossible shape \[1,1,0,0\]/, { ...CONV, w: [[1, 1, 2, 2], [1, 1, 1, 1]] }],
  ['a stride of 0', chain(image, conv(0, 0)), /n0: stride cannot be \[0,0\]/, CONV],
  ['groups that do not divide', chain(image, ['conv2d', { ...conv(1, 0)[1], groups: 2 }, '@w']), /n0: the weight has shape/, CONV],
  ['a kernel that is computed', chain(image, ['conv2d', conv(1, 0)[1], 'x']), /n0: the weight has shape|n0: its weight/],
  ['another number of pixels', chain([1, 2], ['reshape', { shape: [1, 1, 2, 2] }]), /n0: cannot reshape \[1,2\] to \[1,1,2,2\]/],
  ['a shape without end', chain([1, 2], ['expand', { shape: [1e9, 2] }]), /n0: impossible shape \[1000000000,2\]/],
  ['a shape of fractions', chain([1, 2], ['reshape', { shape: [1.5, 1] }]), /n0: shape cannot be \[1.5,1\]/],
  ['a slice outside', chain([1, 2], ['slice', { dim: 1, start: 1, length: 2, step: 1 }]), /n0: \[1,2\] has no slice of 2 from 1/],
  ['a dimension outside', chain([1, 2], ['softmax', { dim: 2 }]), /n0: dims cannot be \[2\] of 2 dimensions/],
  ['shapes that do not broadcast', chain([1, 3], ['add', {}, '@b']), /n0: \[1,3\] and \[2\] do not fit/],
  ['a limit that is a word', chain([1, 1], ['clamp', { min: '0', max: null }]), /n0: min cannot be "0"/],
  ['a slope that is missing', chain([1, 1], ['leaky_relu']), /n0: slope cannot be undefined/],
  ['too many inputs', chain([1, 1], ['relu', {}, 'x']), /n0: it reads 2 values/],
  ['a window outside the image', chain(image, ['max_pool2d', { size: [3, 3], kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1] }]), /n0: a window lies outside/],
  ['an output that is not there', { ...chain([1, 1], ['relu']), outputs: [{ name: 'out', node: 'n7' }] }, /reads n7/],
  ['no nodes', { inputs: [], outputs: [] }, /nodes is missing/],
  ['nothing', null, /inputs is missing/],
  ['a node that is no object', { inputs: [], nodes: [null], outputs: [] }, /./],
]) test(`a graph with ${what} is refused by name`, () => assert.throws(() => network(graph, tensors), message));

test('an input of another length is refused by name', () => {
  const built = network(chain([1, 2], ['relu']));
  assert.throws(() => built.run([1]), /x has 1 values and not 2/);
  assert.throws(() => built.run(), /x has no values and not 2/);
});

test('an index outside the table is refused by name', () => {
  const graph = { inputs: [{ name: 'i', shape: [1] }], nodes: [{ name: 'row', op: 'lookup', inputs: ['@w', 'i'], dim: 0 }], outputs: [{ name: 'out', node: 'row' }] };
  const built = network(graph, GOOD);
  near(built.run([1])[0], [2]);
  near(built.run([-1])[0], [2]);
  for (const index of [2, -3, NaN]) assert.throws(() => built.run([index]), /row: index -?\w+ of 2/);
});

// ---- models

const IMAGE = { nodes: [{ name: 'flat', op: 'linear', inputs: ['z', '@w', '@b'] }, { name: 'x_hat', op: 'reshape', inputs: ['flat'], shape: [1, 1, 1, 2] }] };
const DECODE = { inputs: [{ name: 'z', shape: [1, 1] }], ...IMAGE, outputs: [{ name: 'x_hat', node: 'x_hat' }] };
const model = (changes = {}) => ({
  format: 2, latent_dim: 1, num_classes: 0, image_shape: [1, 1, 2], networks: { decode: DECODE }, constants: {}, ...changes,
});

test('a model decodes', () => {
  const { decode, latentDim, numClasses, height, width, channels, has } = createModel(model(), weights(GOOD));
  near(decode([3]), [3, 6]);
  assert.deepEqual([latentDim, numClasses, height, width, channels], [1, 0, 1, 2, 1]);
  assert.deepEqual([has('decode'), has('encode'), has('toString')], [true, false, false]);
});

test('a conditional model takes the class as one_hot(y), and scores one class after the other', () => {
  const joined = { name: 'zy', op: 'concatenate', inputs: ['z', 'y'], dim: 1 };
  const nodes = [joined, { ...IMAGE.nodes[0], inputs: ['zy', '@w'] }, IMAGE.nodes[1]];
  const inputs = [{ name: 'z', shape: [1, 1] }, { name: 'y', shape: [1, 2] }];
  const classify = {
    inputs: [{ name: 'x', shape: [1, 1, 1, 2] }, inputs[1]], outputs: [{ name: 'scores', node: 'score' }],
    nodes: [
      { name: 'pair', op: 'reshape', inputs: ['x'], shape: [1, 2] }, { name: 'both', op: 'mul', inputs: ['pair', 'y'] },
      { name: 'score', op: 'sum', inputs: ['both'], dims: [1], keepdim: false },
    ],
  };
  const networks = { decode: { ...DECODE, inputs, nodes }, classify };
  const { decode, classify: score, encode } = createModel(model({ num_classes: 2, networks }), weights({ w: [[2, 3], [1, 10, 100, 0, 1, 2]] }));
  near(decode([5], 0), [15, 1]);
  near(decode([5], 1), [105, 2]);
  near(score([7, 8]), [7, 8]);
  assert.throws(() => encode([1, 2], 0), /this model has no network encode/);
});

test('an encoder returns its outputs by name, and constants stand in the file', () => {
  const encode = {
    inputs: [{ name: 'x', shape: [1, 1, 1, 2] }],
    nodes: [
      { name: 'pair', op: 'reshape', inputs: ['x'], shape: [1, 2] }, { name: 'kept', op: 'mul', inputs: ['pair', '@mask'] },
      { name: 'more', op: 'add', inputs: ['pair', '@shift'] },
    ],
    outputs: [{ name: 'mean', node: 'kept' }, { name: 'stddev', node: 'more' }],
  };
  const shift = Buffer.from(Float32Array.of(0.5, -1).buffer).toString('base64');
  const constants = { mask: { shape: [2], bits: Buffer.from([0b01000000]).toString('base64') }, shift: { shape: [2], float32: shift } };
  const found = createModel(model({ networks: { decode: DECODE, encode }, constants }), weights(GOOD)).encode([3, 4]);
  near(found.mean, [0, 4]);
  near(found.stddev, [3.5, 3]);
});

for (const [what, file_, message] of [
  ['another format', model({ format: 1 }), /format 1 and not 2/],
  ['nothing', null, /format undefined/],
  ['no decoder', model({ networks: {} }), /no network decode/],
  ['a decoder of another image', model({ image_shape: [1, 2, 1] }), /returns \[1,1,1,2\] and not an image of \[1,1,2,1\]/],
  ['an impossible image', model({ image_shape: [1, 0, 1] }), /image_shape cannot be \[1,0,1\]/],
  ['a constant that is cut off', model({ constants: { b: { shape: [2], float32: 'AAAA' } } }), /b does not fill its shape \[2\]/],
]) test(`a model with ${what} is refused`, () => assert.throws(() => createModel(file_, weights(GOOD)), message));
