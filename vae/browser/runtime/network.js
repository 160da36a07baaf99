// Runs a network in the browser: a graph that vae/models/portable.py exports, and the tensors it reads. Plain
// JavaScript. Memory is allocated when a network is built; no run allocates.
//
// Values are float64, which JavaScript computes with: float32 arrays would be converted at every access. As in
// torch, a value is a strided view of a buffer, { data, offset, shape, strides, constant }, so that reshaping,
// slicing and permuting copy nothing. Images are stored as (H, W, C), so that the innermost loop of a convolution
// reads consecutive memory; so are the images that go in and come out.

const FORMAT = 2;
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']; // numbers that JSON lacks, as text
const MAX_VALUES = 2 ** 26; // of one value: a damaged shape must not fill the memory

// ---- a model: its networks by name, and its weights

// file: the content of a model's network.json. bytes: its weights, in the safetensors format.
// Returns { latentDim, numClasses, height, width, channels, file, network(name), has(name), decode, likelihood, encode,
// classify }.
// Each network is built when it is first run. Throws an Error that names what does not fit.
export function createModel(file, bytes) {
  if (file?.format !== FORMAT) throw new Error(`the network file has format ${file?.format} and not ${FORMAT}`);
  const stored = readSafetensors(bytes);
  const tensor = (name) => (Object.hasOwn(file.constants ?? {}, name) ? readConstant(name, file.constants[name])
    : stored.tensor(name));
  const [channels, height, width] = integers(file, 'image_shape', 3, 1);
  const latentDim = integer(file, 'latent_dim', 1), numClasses = integer(file, 'num_classes', 0);
  const has = (name) => Object.hasOwn(file.networks ?? {}, name);
  const built = new Map();
  function network(name) {
    if (!built.has(name)) {
      if (!has(name)) throw new Error(`this model has no network ${name}`);
      built.set(name, createNetwork(file.networks[name], tensor));
    }
    return built.get(name);
  }

  const oneHot = new Float64Array(numClasses);
  // Runs a network on its first input, and on y where it takes one
  function run(name, first, y) {
    const { inputs, run: forward } = network(name);
    return inputs.length > 1 ? forward(first, oneHot.fill(0).fill(1, y, y + 1)) : forward(first);
  }

  const decoded = network('decode').outputs[0];
  if (String(decoded.shape) !== String([1, channels, height, width])) {
    throw new Error(`the decoder returns [${decoded.shape}] and not an image of [1,${file.image_shape}]`);
  }
  const encoded = {};
  const scores = new Float64Array(numClasses);
  return {
    latentDim, numClasses, height, width, channels, file, network, has,
    // z (D), y a class number -> Float64Array (H * W * C) in [0, 1] that the next call overwrites
    decode: (z, y) => run('decode', z, y)[0],
    // z (D), y a class number -> { mean, logits } of p(x|z), each Float64Array (H * W * C); the next call overwrites them
    likelihood(z, y) {
      const [mean, logits] = run('decode', z, y);
      return { mean, logits };
    },
    // x (H * W * C) in [0, 1], y a class number -> { mean, stddev } (D), without stddev where the posterior is a point.
    // The next call overwrites them. The mean of a discrete model holds indices into its codebook.
    encode(x, y) {
      const found = run('encode', x, y);
      const { outputs } = network('encode');
      for (let i = 0; i < outputs.length; i++) encoded[outputs[i].name] = found[i];
      return encoded;
    },
    // x (H * W * C) in [0, 1] -> Float64Array (K), highest for the most probable class, overwritten by the next call.
    // The network returns all scores, or takes one class at a time.
    classify(x) {
      if (network('classify').inputs.length === 1) return run('classify', x)[0];
      for (let y = 0; y < numClasses; y++) scores[y] = run('classify', x, y)[0][0];
      return scores;
    },
  };
}

// ---- tensors

const READERS = {
  F32: { size: 4, read: (view, at) => view.getFloat32(at, true) },
  F64: { size: 8, read: (view, at) => view.getFloat64(at, true) },
  F16: { size: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  BF16: { size: 2, read: (view, at) => bfloatToNumber(view.getUint16(at, true)) },
  I64: { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  I32: { size: 4, read: (view, at) => view.getInt32(at, true) },
};

function halfToNumber(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));
function bfloatToNumber(bits) {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

// Parses the format: 8 bytes of header length, a JSON header, the bytes of the tensors.
// bytes: Uint8Array, which may begin anywhere in a larger buffer. Returns { names, tensor(name) -> { shape, values } },
// values a Float64Array. Throws an Error for bytes that are cut off, and for a tensor that is not there.
export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8) throw new Error('the weights are cut off');
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > bytes.byteLength - 8) throw new Error('the weights are cut off');
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  } catch {
    throw new Error('the header of the weights is damaged');
  }
  const start = 8 + headerLength;
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const read = new Map();
  function readTensor(name) {
    if (!names.includes(name)) throw new Error(`the weights lack ${name}`);
    const { dtype, shape, data_offsets: [from, to] } = header[name];
    const reader = READERS[dtype];
    if (!reader) throw new Error(`${name} has the type ${dtype}, which is not supported`);
    const size = sizeOf(shape);
    if (!(from >= 0) || to - from !== reader.size * size) throw new Error(`${name} does not fill its shape [${shape}]`);
    if (start + to > bytes.byteLength) throw new Error(`the weights are cut off in ${name}`);
    const values = new Float64Array(size);
    for (let i = 0; i < size; i++) values[i] = reader.read(view, start + from + i * reader.size);
    return { shape, values };
  }
  return {
    names,
    tensor(name) {
      if (!read.has(name)) read.set(name, readTensor(name));
      return read.get(name);
    },
  };
}

// Decodes a constant of a network file: base64 of float32, or of one bit for each 0 and 1.
function readConstant(name, { shape, float32, bits }) {
  const size = sizeOf(shape);
  const bytes = Uint8Array.from(atob(float32 ?? bits ?? ''), (c) => c.charCodeAt(0));
  const expected = float32 === undefined ? Math.ceil(size / 8) : 4 * size;
  if (bytes.length !== expected) throw new Error(`${name} does not fill its shape [${shape}]`);
  const view = new DataView(bytes.buffer);
  const values = Float64Array.from({ length: size }, (_, i) => (
    float32 === undefined ? (bytes[i >> 3] >> (7 - (i & 7))) & 1 : view.getFloat32(4 * i, true)
  ));
  return { shape, values };
}

// ---- a network

// graph: { inputs: [{ name, shape }], nodes: [{ name, op, inputs, ...attributes }], outputs: [{ name, node }] }, the
// nodes in order of computation. A node's inputs are names of inputs and earlier nodes, "@" and the name of a tensor,
// or numbers. tensor(name) -> { shape, values }.
// Returns { inputs, outputs, run, value }: inputs [{ name, shape }], outputs [{ name, shape }].
// run(...inputs) takes one array for each input and returns one Float64Array for each output; the next run overwrites
// them. An image (1, C, H, W) goes in and comes out as (H, W, C), another value in torch's order.
// value(name) returns a copy of a node's value in the last run, { shape, values } in torch's order.
// A node that depends on tensors alone is computed once, here. Throws an Error that names the node that does not fit.
export function createNetwork(graph, tensor) {
  const builder = { steps: [] };
  const values = new Map();
  for (const { name, shape } of listOf(graph, 'inputs')) {
    sizeOf(shape);
    values.set(name, newValue(shape, preferred(shape), false));
  }

  function lookUp(input) {
    if (isNumber(input)) return constant([], [Number(input)]);
    if (values.has(input)) return values.get(input);
    if (typeof input !== 'string' || !input.startsWith('@')) throw new Error(`it reads ${input}, which is not there`);
    const { shape, values: data } = tensor(input.slice(1));
    return constant(shape, data);
  }

  for (const node of listOf(graph, 'nodes')) {
    try {
      if (values.has(node.name)) throw new Error('there are two values of this name');
      if (!Object.hasOwn(OPERATIONS, node.op)) throw new Error(`unknown operation ${node.op}`);
      values.set(node.name, OPERATIONS[node.op](listOf(node, 'inputs').map(lookUp), node, builder));
    } catch (error) {
      throw new Error(`${node?.name}: ${error.message}`);
    }
  }

  const inputs = graph.inputs.map(({ name, shape }) => ({ name, shape, data: values.get(name).data }));
  const outputs = listOf(graph, 'outputs').map(({ name, node }) => {
    const value = lookUp(node);
    return { name, shape: value.shape, data: arranged(value, preferred(value.shape), builder).data };
  });
  const results = outputs.map(({ data }) => data);
  const { steps } = builder;
  return {
    inputs: inputs.map(({ name, shape }) => ({ name, shape })),
    outputs: outputs.map(({ name, shape }) => ({ name, shape })),
    run(...given) {
      for (let i = 0; i < inputs.length; i++) {
        const { name, data } = inputs[i];
        if (given[i]?.length !== data.length) {
          throw new Error(`${name} has ${given[i]?.length ?? 'no'} values and not ${data.length}`);
        }
        for (let k = 0; k < data.length; k++) data[k] = given[i][k];
      }
      for (let i = 0; i < steps.length; i++) steps[i]();
      return results;
    },
    value(name) {
      if (!values.has(name)) throw new Error(`the network has no value ${name}`);
      const { data, offset, shape, strides } = values.get(name);
      return { shape, values: Float64Array.from(positions(shape, strides, offset), (at) => data[at]) };
    },
  };
}

function listOf(object, key) {
  if (!Array.isArray(object?.[key])) throw new Error(`${key} is missing`);
  return object[key];
}

// Returns a list of integers of a node, each `least` or more. length: how many, null for any number.
function integers(node, key, length, least = -Infinity) {
  const found = node[key];
  const fits = Array.isArray(found) && (length === null || found.length === length)
    && found.every((n) => Number.isSafeInteger(n) && n >= least);
  if (!fits) throw new Error(`${key} cannot be ${JSON.stringify(found)}`);
  return found;
}

function integer(node, key, least) {
  return integers({ [key]: [node[key]] }, key, 1, least)[0];
}

const isNumber = (found) => typeof found === 'number' || NOT_FINITE.includes(found);

function number(node, key) {
  if (!isNumber(node[key])) throw new Error(`${key} cannot be ${JSON.stringify(node[key])}`);
  return Number(node[key]);
}

// Returns one dimension of a node, below `rank`; a list of them
function dimension(node, rank) {
  return dimensions({ dims: [node.dim] }, rank)[0];
}
function dimensions({ dims }, rank) {
  integers({ dims }, 'dims', null, 0);
  if (dims.some((d) => d >= rank) || new Set(dims).size < dims.length) {
    throw new Error(`dims cannot be [${dims}] of ${rank} dimensions`);
  }
  return dims;
}

// ---- strided views

function sizeOf(shape) {
  const whole = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 1);
  const size = whole ? shape.reduce((a, b) => a * b, 1) : 0;
  if (!whole || size > MAX_VALUES) throw new Error(`impossible shape [${shape}]`);
  return size;
}

function rowMajor(shape) {
  const strides = new Array(shape.length);
  for (let d = shape.length - 1, step = 1; d >= 0; step *= shape[d], d--) strides[d] = step;
  return strides;
}

// Returns the strides of new values: (H, W, C) for images, torch's order for others.
function preferred(shape) {
  if (shape.length !== 4) return rowMajor(shape);
  const [, c, h, w] = shape;
  return [h * w * c, 1, w * c, c];
}

function newValue(shape, strides, constant) {
  return { data: new Float64Array(sizeOf(shape)), offset: 0, shape, strides, constant };
}

function constant(shape, values) {
  return { data: Float64Array.from(values), offset: 0, shape, strides: rowMajor(shape), constant: true };
}

// Returns the value that an operation writes; a constant where all that it reads is
function result(inputs, shape, strides = preferred(shape)) {
  return newValue(shape, strides, inputs.every((v) => v.constant));
}

// Runs a step whenever the network runs, or now and never again if its output is constant
function step(builder, output, run) {
  if (output.constant) run();
  else builder.steps.push(run);
  return output;
}

function replaced(list, at, item) {
  return list.map((other, i) => (i === at ? item : other));
}

function sameShape(a, b) {
  return a.length === b.length && a.every((n, d) => n === b[d]);
}

function sameStrides(shape, a, b) {
  return shape.every((n, d) => n === 1 || a[d] === b[d]);
}

// Returns whether the strides visit each element of the buffer once
function isDense({ data, offset, shape, strides }) {
  if (offset !== 0) return false;
  const order = shape.map((_, d) => d).filter((d) => shape[d] > 1).sort((a, b) => strides[a] - strides[b]);
  let next = 1;
  for (const d of order) {
    if (strides[d] !== next) return false;
    next *= shape[d];
  }
  return next === data.length;
}

// Returns the positions in a buffer of all elements, in torch's order
function positions(shape, strides, offset) {
  const found = new Int32Array(sizeOf(shape));
  const index = new Array(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < found.length; i++) {
    found[i] = at;
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return found;
}

// Returns the value with other strides, from the start of a buffer that it fills: itself, or a copy at every run
function arranged(value, strides, builder) {
  const { data, offset, shape } = value;
  const fits = offset === 0 && data.length === sizeOf(shape) && sameStrides(shape, value.strides, strides);
  if (fits) return { ...value, strides };
  const output = result([value], shape, strides);
  const sources = new Int32Array(output.data.length);
  const from = positions(shape, value.strides, offset), to = positions(shape, strides, 0);
  for (let i = 0; i < sources.length; i++) sources[to[i]] = from[i];
  return step(builder, output, () => {
    for (let i = 0; i < sources.length; i++) output.data[i] = data[sources[i]];
  });
}

function inTorchOrder(value, builder) {
  return arranged(value, rowMajor(value.shape), builder);
}

// Copies a value into a view of the same shape at every run
function copyInto(view, value, builder) {
  const from = positions(value.shape, value.strides, value.offset);
  const to = positions(view.shape, view.strides, view.offset);
  return step(builder, view, () => {
    for (let i = 0; i < from.length; i++) view.data[to[i]] = value.data[from[i]];
  });
}

function permuted(value, dims) {
  return { ...value, shape: dims.map((d) => value.shape[d]), strides: dims.map((d) => value.strides[d]) };
}

// Returns the value as rows (M, N) in torch's order, N the elements along dims, and the dimensions that are kept
function asRows(value, dims, builder) {
  const kept = value.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const rows = inTorchOrder(permuted(value, [...kept, ...dims]), builder);
  const length = dims.reduce((n, d) => n * value.shape[d], 1);
  return { rows, kept, length, count: rows.data.length / length };
}

function reshaped(value, shape, builder) {
  if (sizeOf(shape) !== sizeOf(value.shape)) throw new Error(`cannot reshape [${value.shape}] to [${shape}]`);
  return { ...inTorchOrder(value, builder), shape, strides: rowMajor(shape) };
}

function expanded(value, shape) {
  const missing = shape.length - value.shape.length;
  const strides = shape.map((n, d) => {
    const own = d < missing ? 1 : value.shape[d - missing];
    if (own !== n && own !== 1) throw new Error(`[${value.shape}] cannot be expanded to [${shape}]`);
    return own === 1 ? 0 : value.strides[d - missing];
  });
  if (missing < 0) throw new Error(`[${value.shape}] cannot be expanded to [${shape}]`);
  return { ...value, shape, strides };
}

function broadcastShape(shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = shapes.map((shape) => shape[d - rank + shape.length] ?? 1);
    const n = Math.max(...sizes);
    if (sizes.some((m) => m !== n && m !== 1)) throw new Error(`[${shapes.join('] and [')}] do not fit each other`);
    return n;
  });
}

function expect(inputs, least, most = least) {
  if (inputs.length < least || inputs.length > most) throw new Error(`it reads ${inputs.length} values`);
}

function expectShape(value, shape, what) {
  const fits = value.shape.length === shape.length && shape.every((n, d) => n === null || n === value.shape[d]);
  if (!fits) throw new Error(`${what} has shape [${value.shape}] and not [${shape.map((n) => n ?? '?')}]`);
}

// ---- element by element

// Returns an operation that computes one output from each element of its inputs, which broadcast. kernel(output, n,
// a, aStep, b, bStep, c, cStep) loops over buffers; a step of 0 repeats one number.
function elementwise(arity, kernelOf) {
  return (inputs, node, builder) => {
    expect(inputs, arity);
    const shape = broadcastShape(inputs.map((v) => v.shape));
    const like = inputs.find((v) => !v.constant && sameShape(v.shape, shape) && isDense(v));
    const output = result(inputs, shape, like?.strides);
    const [a, b, c] = inputs.map((value) => operand(value, output, builder));
    const kernel = kernelOf(node), n = output.data.length, { data } = output;
    if (arity === 1) return step(builder, output, () => kernel(data, n, a.data, a.step));
    if (arity === 2) return step(builder, output, () => kernel(data, n, a.data, a.step, b.data, b.step));
    return step(builder, output, () => kernel(data, n, a.data, a.step, b.data, b.step, c.data, c.step));
  };
}

function operand(value, output, builder) {
  if (value.data.length === 1) return { data: value.data, step: 0 };
  return { data: arranged(expanded(value, output.shape), output.strides, builder).data, step: 1 };
}

// A function of its own for each operation: the compiler specialises a loop for one function.
const LOOPS = {
  relu(out, n, a, s) { for (let i = 0; i < n; i++) { const x = a[i * s]; out[i] = x < 0 ? 0 : x; } },
  sigmoid(out, n, a, s) { for (let i = 0; i < n; i++) out[i] = 1 / (1 + Math.exp(-a[i * s])); },
  silu(out, n, a, s) { for (let i = 0; i < n; i++) { const x = a[i * s]; out[i] = x / (1 + Math.exp(-x)); } },
  tanh(out, n, a, s) { for (let i = 0; i < n; i++) out[i] = Math.tanh(a[i * s]); },
  exp(out, n, a, s) { for (let i = 0; i < n; i++) out[i] = Math.exp(a[i * s]); },
  add(out, n, a, s, b, t) { for (let i = 0; i < n; i++) out[i] = a[i * s] + b[i * t]; },
  sub(out, n, a, s, b, t) { for (let i = 0; i < n; i++) out[i] = a[i * s] - b[i * t]; },
  mul(out, n, a, s, b, t) { for (let i = 0; i < n; i++) out[i] = a[i * s] * b[i * t]; },
  div(out, n, a, s, b, t) { for (let i = 0; i < n; i++) out[i] = a[i * s] / b[i * t]; },
};

const FUNCTIONS = {
  abs: Math.abs, ceil: Math.ceil, cos: Math.cos, erf, expm1: Math.expm1, floor: Math.floor, log: Math.log,
  log1p: Math.log1p, sign: Math.sign, sin: Math.sin, sqrt: Math.sqrt, trunc: Math.trunc, round: roundHalfToEven,
  neg: (x) => -x, reciprocal: (x) => 1 / x, rsqrt: (x) => 1 / Math.sqrt(x), logical_not: (x) => (x ? 0 : 1),
};

const BINARY_FUNCTIONS = {
  maximum: Math.max, minimum: Math.min, pow: Math.pow, logaddexp,
  eq: (x, y) => Number(x === y), ne: (x, y) => Number(x !== y), lt: (x, y) => Number(x < y),
  le: (x, y) => Number(x <= y), gt: (x, y) => Number(x > y), ge: (x, y) => Number(x >= y),
  logical_and: (x, y) => (x && y ? 1 : 0), logical_or: (x, y) => (x || y ? 1 : 0),
};

function roundHalfToEven(x) {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + Math.abs(below % 2) : Math.round(x);
}

function logaddexp(x, y) {
  const high = Math.max(x, y);
  return Math.abs(high) === Infinity ? high : high + Math.log1p(Math.exp(-Math.abs(x - y)));
}

// Abramowitz & Stegun 7.1.26: an error below 1.5e-7, as small as float32's
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}

const loop = (f) => (out, n, a, s) => { for (let i = 0; i < n; i++) out[i] = f(a[i * s]); };
const loop2 = (f) => (out, n, a, s, b, t) => { for (let i = 0; i < n; i++) out[i] = f(a[i * s], b[i * t]); };

function leakyRelu(node) {
  const slope = number(node, 'slope');
  return (out, n, a, s) => {
    for (let i = 0; i < n; i++) { const x = a[i * s]; out[i] = x < 0 ? x * slope : x; }
  };
}

function clamp(node) {
  const low = node.min === null ? -Infinity : number(node, 'min');
  const high = node.max === null ? Infinity : number(node, 'max');
  return loop((x) => Math.min(Math.max(x, low), high));
}

// elu, and selu and celu by their scales
function elu(node) {
  const alpha = number(node, 'alpha'), scale = number(node, 'scale'), inputScale = number(node, 'input_scale');
  return loop((x) => (x > 0 ? scale * x : alpha * scale * Math.expm1(x * inputScale)));
}

function softplus(node) {
  const beta = number(node, 'beta'), threshold = number(node, 'threshold');
  return loop((x) => (beta * x > threshold ? x : Math.log1p(Math.exp(beta * x)) / beta));
}

function gelu({ approximate }) {
  if (approximate === 'none') return loop((x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)));
  if (approximate !== 'tanh') throw new Error(`approximate cannot be ${approximate}`);
  const root = Math.sqrt(2 / Math.PI);
  return loop((x) => 0.5 * x * (1 + Math.tanh(root * (x + 0.044715 * x * x * x))));
}

function where(out, n, a, s, b, t, c, u) {
  for (let i = 0; i < n; i++) out[i] = a[i * s] ? b[i * t] : c[i * u];
}

// ---- along dimensions

// Returns an operation that reduces dims to one number: reduce(data, from, n)
function reduction(reduce) {
  return ([value, ...others], node, builder) => {
    expect(others, 0);
    const dims = dimensions(node, value.shape.length);
    const { rows, kept, length, count } = asRows(value, dims, builder);
    const shape = node.keepdim ? value.shape.map((n, d) => (dims.includes(d) ? 1 : n)) : kept.map((d) => value.shape[d]);
    const output = result([value], shape, rowMajor(shape));
    return step(builder, output, () => {
      for (let i = 0; i < count; i++) output.data[i] = reduce(rows.data, i * length, length, node);
    });
  };
}

function sum(data, from, n) {
  let total = 0;
  for (let i = 0; i < n; i++) total += data[from + i];
  return total;
}

function variance(data, from, n, node) {
  const mean = sum(data, from, n) / n;
  let total = 0;
  for (let i = 0; i < n; i++) total += (data[from + i] - mean) ** 2;
  return total / (n - number(node, 'correction'));
}

// Returns the index of the first element that beats all others, or of the first NaN
function argBest(data, from, n, beats) {
  let best = 0;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(data[from + i])) return i;
    if (beats(data[from + i], data[from + best])) best = i;
  }
  return best;
}

const argmax = (data, from, n) => argBest(data, from, n, (a, b) => a > b);
const argmin = (data, from, n) => argBest(data, from, n, (a, b) => a < b);

function any(data, from, n) {
  for (let i = 0; i < n; i++) if (data[from + i]) return 1;
  return 0;
}

// Returns an operation on each row along dims that keeps the shape: change(data, from, n, output)
function rowwise(change) {
  return ([value, ...others], node, builder) => {
    expect(others, 0);
    const { rows, kept, length, count } = asRows(value, [dimension(node, value.shape.length)], builder);
    const output = result([value], rows.shape, rows.strides);
    step(builder, output, () => {
      for (let i = 0; i < count; i++) change(rows.data, i * length, length, output.data);
    });
    const order = [...kept, node.dim];
    return permuted(output, value.shape.map((_, d) => order.indexOf(d)));
  };
}

function softmax(data, from, n, out) {
  let high = -Infinity, total = 0;
  for (let i = 0; i < n; i++) high = Math.max(high, data[from + i]);
  for (let i = 0; i < n; i++) total += out[from + i] = Math.exp(data[from + i] - high);
  for (let i = 0; i < n; i++) out[from + i] /= total;
}

function logSoftmax(data, from, n, out) {
  let high = -Infinity, total = 0;
  for (let i = 0; i < n; i++) high = Math.max(high, data[from + i]);
  for (let i = 0; i < n; i++) total += Math.exp(data[from + i] - high);
  const shift = high + Math.log(total);
  for (let i = 0; i < n; i++) out[from + i] = data[from + i] - shift;
}

// Writes rows minus their mean, over their standard deviation
function standardise(data, from, n, eps, out) {
  const mean = sum(data, from, n) / n;
  let total = 0;
  for (let i = 0; i < n; i++) total += (data[from + i] - mean) ** 2;
  const scale = 1 / Math.sqrt(total / n + eps);
  for (let i = 0; i < n; i++) out[from + i] = (data[from + i] - mean) * scale;
}

// Standardises rows of `length`, then multiplies by weight and adds bias: element i of the rows takes element
// floor(i / repeat) % weights of both
function normalise(value, length, repeat, [weight, bias], eps, builder) {
  const x = inTorchOrder(value, builder);
  const output = result([value, weight, bias], value.shape, x.strides);
  const w = inTorchOrder(weight, builder).data, b = inTorchOrder(bias, builder).data;
  return step(builder, output, () => {
    const { data } = output;
    for (let from = 0; from < data.length; from += length) standardise(x.data, from, length, eps, data);
    for (let i = 0; i < data.length; i++) {
      const k = Math.floor(i / repeat) % w.length;
      data[i] = data[i] * w[k] + b[k];
    }
  });
}

// ---- matrices

function bias(value, outputs, builder) {
  if (value === undefined) return new Float64Array(outputs);
  expectShape(value, [outputs], 'the bias');
  return inTorchOrder(value, builder).data;
}

function linear(inputs, node, builder) {
  expect(inputs, 2, 3);
  const [value, weight, b] = inputs;
  const k = value.shape.at(-1);
  expectShape(weight, [null, k], 'the weight');
  const n = weight.shape[0];
  const rows = inTorchOrder(value, builder).data, matrix = inTorchOrder(weight, builder).data;
  const shape = [...value.shape.slice(0, -1), n], m = rows.length / k;
  const output = result(inputs, shape, rowMajor(shape)), offsets = bias(b, n, builder);
  return step(builder, output, () => multiply(rows, m, matrix, n, k, offsets, output.data, 0, n));
}

// (..., M, K) x (..., K, N) -> (..., M, N)
function matmul(inputs, node, builder) {
  expect(inputs, 2);
  const [left, right] = inputs;
  if (left.shape.length < 2 || right.shape.length < 2) throw new Error('it multiplies vectors');
  const [m, k] = left.shape.slice(-2), n = right.shape.at(-1);
  if (right.shape.at(-2) !== k) throw new Error(`[${left.shape}] and [${right.shape}] do not fit each other`);
  const batch = broadcastShape([left.shape.slice(0, -2), right.shape.slice(0, -2)]);
  const last = batch.length;
  const rows = inTorchOrder(expanded(left, [...batch, m, k]), builder).data;
  const order = [...batch.keys(), last + 1, last];
  const columns = inTorchOrder(permuted(expanded(right, [...batch, k, n]), order), builder).data;
  const shape = [...batch, m, n], zeros = new Float64Array(n), count = rows.length / (m * k);
  const output = result(inputs, shape, rowMajor(shape));
  const pairs = Array.from({ length: count }, (_, i) => [
    rows.subarray(i * m * k, (i + 1) * m * k), columns.subarray(i * n * k, (i + 1) * n * k),
  ]);
  return step(builder, output, () => {
    for (let i = 0; i < count; i++) multiply(pairs[i][0], m, pairs[i][1], n, k, zeros, output.data, i * m * n, n);
  });
}

// table (..., K, ...) read at `index` along a dimension, which the dimensions of the index replace
function lookup(inputs, node, builder) {
  expect(inputs, 2);
  const [table, index] = inputs;
  const dim = dimension(node, table.shape.length), size = table.shape[dim];
  const others = table.shape.map((_, d) => d).filter((d) => d !== dim);
  const rows = inTorchOrder(permuted(table, [dim, ...others]), builder).data, length = rows.length / size;
  const indices = inTorchOrder(index, builder).data;
  const shape = [...index.shape, ...others.map((d) => table.shape[d])];
  const output = result(inputs, shape, rowMajor(shape));
  step(builder, output, () => {
    for (let i = 0; i < indices.length; i++) {
      const k = indices[i] < 0 ? indices[i] + size : indices[i];
      if (!(k >= 0 && k < size)) throw new Error(`${node.name}: index ${indices[i]} of ${size}`);
      for (let j = 0; j < length; j++) output.data[i * length + j] = rows[k * length + j];
    }
  });
  const rank = index.shape.length; // (index, before, after) -> (before, index, after)
  const before = Array.from({ length: dim }, (_, d) => rank + d);
  const after = Array.from({ length: others.length - dim }, (_, d) => rank + dim + d);
  return permuted(output, [...before, ...index.shape.keys(), ...after]);
}

// ---- images

function imageOf(value, builder) {
  if (value.shape.length !== 4) throw new Error(`it reads [${value.shape}] and not images`);
  return arranged(value, preferred(value.shape), builder);
}

// Returns the fields that both convolutions have, each along height and width
function geometry(node) {
  const of = (key, least) => integers(node, key, 2, least);
  const groups = integer(node, 'groups', 1);
  return { stride: of('stride', 1), padding: of('padding', 0), dilation: of('dilation', 1), groups };
}

function conv2d(inputs, node, builder) {
  expect(inputs, 2, 3);
  const { stride: [sy, sx], padding: [py, px], dilation: [dy, dx], groups } = geometry(node);
  const image = imageOf(inputs[0], builder), weight = inTorchOrder(inputs[1], builder);
  const [batch, cin, height, width] = image.shape;
  expectShape(weight, [null, cin / groups, null, null], 'the weight');
  const [cout, depth, kernelY, kernelX] = weight.shape;
  if (cout % groups || !weight.constant) throw new Error(`its weight has shape [${weight.shape}]`);
  const outHeight = Math.floor((height + 2 * py - dy * (kernelY - 1) - 1) / sy) + 1;
  const outWidth = Math.floor((width + 2 * px - dx * (kernelX - 1) - 1) / sx) + 1;
  const shape = [batch, cout, outHeight, outWidth];
  const taps = kernelY * kernelX, outputs = cout / groups;
  const matrices = eachGroup(groups, (g) => {
    const matrix = new Float64Array(outputs * taps * depth); // (outputs, taps, inputs)
    for (let o = 0; o < outputs; o++) {
      for (let t = 0; t < taps; t++) {
        for (let i = 0; i < depth; i++) {
          matrix[(o * taps + t) * depth + i] = weight.data[((g * outputs + o) * depth + i) * taps + t];
        }
      }
    }
    return matrix;
  });
  const output = result(inputs, shape), offsets = biasOfGroups(inputs[2], cout, groups, builder);
  const patches = new Float64Array(outWidth * taps * depth), { data } = image;
  return step(builder, output, () => {
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < outHeight; y++) {
        for (let g = 0; g < groups; g++) {
          const base = n * height * width * cin + g * depth;
          let at = 0;
          for (let x = 0; x < outWidth; x++) {
            for (let ky = 0; ky < kernelY; ky++) {
              const row = y * sy + ky * dy - py;
              for (let kx = 0; kx < kernelX; kx++, at += depth) {
                copyPixel(data, base, height, width, cin, row, x * sx + kx * dx - px, depth, patches, at);
              }
            }
          }
          const start = (n * outHeight + y) * outWidth * cout + g * outputs;
          multiply(patches, outWidth, matrices[g], outputs, taps * depth, offsets[g], output.data, start, cout);
        }
      }
    }
  });
}

// Output pixels fall into stride x stride classes. Within a class, each pixel is an ordinary convolution of
// the input with every stride-th tap of the kernel.
function convTranspose2d(inputs, node, builder) {
  expect(inputs, 2, 3);
  const { stride: [sy, sx], padding: [py, px], dilation: [dy, dx], groups } = geometry(node);
  const [extraY, extraX] = integers(node, 'output_padding', 2, 0);
  const image = imageOf(inputs[0], builder), weight = inTorchOrder(inputs[1], builder);
  const [batch, cin, height, width] = image.shape;
  expectShape(weight, [cin, null, null, null], 'the weight');
  const [, outputs, kernelY, kernelX] = weight.shape;
  if (cin % groups || !weight.constant) throw new Error(`its weight has shape [${weight.shape}]`);
  const cout = outputs * groups, depth = cin / groups;
  const outHeight = (height - 1) * sy - 2 * py + dy * (kernelY - 1) + extraY + 1;
  const outWidth = (width - 1) * sx - 2 * px + dx * (kernelX - 1) + extraX + 1;
  const output = result(inputs, [batch, cout, outHeight, outWidth]);
  const offsets = biasOfGroups(inputs[2], cout, groups, builder);
  const classes = [];
  let longest = 0;
  for (let parityY = 0; parityY < Math.min(sy, outHeight); parityY++) {
    for (let parityX = 0; parityX < Math.min(sx, outWidth); parityX++) {
      const tapsY = tapsOf(parityY, kernelY, sy, py, dy), tapsX = tapsOf(parityX, kernelX, sx, px, dx);
      const taps = tapsY.length * tapsX.length, columns = Math.ceil((outWidth - parityX) / sx);
      const matrices = eachGroup(groups, (g) => {
        const matrix = new Float64Array(outputs * taps * depth); // (outputs, taps, inputs)
        let at = 0;
        for (let o = 0; o < outputs; o++) {
          for (const [ky] of tapsY) {
            for (const [kx] of tapsX) {
              for (let i = 0; i < depth; i++) {
                matrix[at++] = weight.data[(((g * depth + i) * outputs + o) * kernelY + ky) * kernelX + kx];
              }
            }
          }
        }
        return matrix;
      });
      const shiftsY = tapsY.map(([, shift]) => shift), shiftsX = tapsX.map(([, shift]) => shift);
      classes.push({ parityY, parityX, shiftsY, shiftsX, columns, size: taps * depth, matrices });
      longest = Math.max(longest, columns * taps * depth);
    }
  }
  const patches = new Float64Array(longest), { data } = image;
  return step(builder, output, () => {
    for (let n = 0; n < batch; n++) {
      for (let k = 0; k < classes.length; k++) {
        const { parityY, parityX, shiftsY, shiftsX, columns, size, matrices } = classes[k];
        for (let y = parityY, row = 0; y < outHeight; y += sy, row++) {
          for (let g = 0; g < groups; g++) {
            const base = n * height * width * cin + g * depth;
            let at = 0;
            for (let column = 0; column < columns; column++) {
              for (let i = 0; i < shiftsY.length; i++) {
                for (let j = 0; j < shiftsX.length; j++, at += depth) {
                  copyPixel(data, base, height, width, cin, row + shiftsY[i], column + shiftsX[j], depth, patches, at);
                }
              }
            }
            const start = ((n * outHeight + y) * outWidth + parityX) * cout + g * outputs;
            multiply(patches, columns, matrices[g], outputs, size, offsets[g], output.data, start, sx * cout);
          }
        }
      }
    }
  });
}

function eachGroup(groups, make) {
  return Array.from({ length: groups }, (_, g) => make(g));
}

function biasOfGroups(value, cout, groups, builder) {
  const all = bias(value, cout, builder), outputs = cout / groups;
  return eachGroup(groups, (g) => all.subarray(g * outputs, (g + 1) * outputs));
}

// Returns [k, shift] pairs: output pixel p = stride * q + parity reads input pixel q + shift through tap k,
// where stride * (q + shift) = p + padding - dilation * k.
function tapsOf(parity, kernel, stride, padding, dilation) {
  const taps = [];
  for (let k = 0; k < kernel; k++) {
    const distance = parity + padding - dilation * k;
    if (distance % stride === 0) taps.push([k, distance / stride]);
  }
  return taps;
}

// Copies `depth` channels of a pixel; zeros outside the image. base: where the image and the first channel begin
function copyPixel(data, base, height, width, channels, y, x, depth, to, at) {
  if (y < 0 || y >= height || x < 0 || x >= width) {
    for (let c = 0; c < depth; c++) to[at + c] = 0;
  } else {
    const from = base + (y * width + x) * channels;
    for (let c = 0; c < depth; c++) to[at + c] = data[from + c];
  }
}

// Computes each pixel of the output from a window of the input. rows, columns: for each output row and column
// { taps, count }, the input rows or columns that lie inside the image, and how many the window has for an average.
// average: false for the largest
function pool(value, rows, columns, average, builder) {
  const image = imageOf(value, builder);
  const [batch, channels, height, width] = image.shape;
  const output = result([value], [batch, channels, rows.length, columns.length]);
  return step(builder, output, () => {
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < rows.length; y++) {
        for (let x = 0; x < columns.length; x++) {
          const tapsY = rows[y].taps, tapsX = columns[x].taps, count = rows[y].count * columns[x].count;
          for (let c = 0; c < channels; c++) {
            let found = average ? 0 : -Infinity;
            for (let i = 0; i < tapsY.length; i++) {
              for (let j = 0; j < tapsX.length; j++) {
                const pixel = image.data[((n * height + tapsY[i]) * width + tapsX[j]) * channels + c];
                found = average ? found + pixel : Math.max(found, pixel);
              }
            }
            output.data[at++] = average ? found / count : found;
          }
        }
      }
    }
  });
}

function slidingWindows(node, axis, size, countPadding) {
  const [kernel, stride, padding, dilation] = ['kernel', 'stride', 'padding', 'dilation']
    .map((key) => integers(node, key, 2, key === 'padding' ? 0 : 1)[axis]);
  return Array.from({ length: integers(node, 'size', 2, 1)[axis] }, (_, i) => {
    const start = i * stride - padding;
    const taps = Array.from({ length: kernel }, (_, k) => start + k * dilation).filter((p) => p >= 0 && p < size);
    if (!taps.length) throw new Error('a window lies outside the image');
    return { taps, count: countPadding ? Math.min(start + kernel, size + padding) - start : taps.length };
  });
}

function adaptiveWindows(node, axis, size) {
  const outputs = integers(node, 'size', 2, 1)[axis];
  return Array.from({ length: outputs }, (_, i) => {
    const start = Math.floor((i * size) / outputs), end = Math.ceil(((i + 1) * size) / outputs);
    return { taps: Array.from({ length: end - start }, (_, k) => start + k), count: end - start };
  });
}

function slidingPool(average) {
  return (inputs, node, builder) => {
    expect(inputs, 1);
    const [height, width] = inputs[0].shape.slice(2), all = Boolean(node.count_include_pad);
    const rows = slidingWindows(node, 0, height, all), columns = slidingWindows(node, 1, width, all);
    if (node.divisor != null) {
      for (const row of rows) row.count = number(node, 'divisor');
      for (const column of columns) column.count = 1;
    }
    return pool(inputs[0], rows, columns, average, builder);
  };
}

function adaptivePool(average) {
  return (inputs, node, builder) => {
    expect(inputs, 1);
    const [height, width] = inputs[0].shape.slice(2);
    return pool(inputs[0], adaptiveWindows(node, 0, height), adaptiveWindows(node, 1, width), average, builder);
  };
}

// scale: input pixels per output pixel, rounded as torch does
function upsampleNearest(inputs, node, builder) {
  expect(inputs, 1);
  const image = imageOf(inputs[0], builder), [batch, channels, height, width] = image.shape;
  const [sources, shape] = [[height, width], integers(node, 'size', 2, 1)].reduce((from, to) => [
    to.map((n, axis) => {
      const scale = Math.fround(node.scale?.[axis] ?? NaN), shift = node.exact ? 0.5 : 0;
      if (!(scale > 0)) throw new Error(`scale cannot be ${JSON.stringify(node.scale)}`);
      return Int32Array.from({ length: n }, (_, i) => Math.min(Math.floor(Math.fround((i + shift) * scale)), from[axis] - 1));
    }), to]);
  const output = result(inputs, [batch, channels, ...shape]);
  return step(builder, output, () => {
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < shape[0]; y++) {
        for (let x = 0; x < shape[1]; x++) {
          const from = ((n * height + sources[0][y]) * width + sources[1][x]) * channels;
          for (let c = 0; c < channels; c++) output.data[at++] = image.data[from + c];
        }
      }
    }
  });
}

// Returns for each output row or column [lower, upper, weight of the upper] of the input
function blends(node, axis, size) {
  const outputs = integers(node, 'size', 2, 1)[axis], scale = node.scale?.[axis];
  if (!(scale >= 0)) throw new Error(`scale cannot be ${JSON.stringify(node.scale)}`);
  return Array.from({ length: outputs }, (_, i) => {
    const at = node.align_corners ? i * scale : Math.max(0, (i + 0.5) * scale - 0.5);
    const lower = Math.min(Math.floor(at), size - 1);
    return [lower, Math.min(lower + 1, size - 1), at - lower];
  });
}

function upsampleBilinear(inputs, node, builder) {
  expect(inputs, 1);
  const image = imageOf(inputs[0], builder), [batch, channels, height, width] = image.shape, { data } = image;
  const rows = blends(node, 0, height), columns = blends(node, 1, width);
  const output = result(inputs, [batch, channels, rows.length, columns.length]);
  return step(builder, output, () => {
    let at = 0;
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < rows.length; y++) {
        const top = (n * height + rows[y][0]) * width, bottom = (n * height + rows[y][1]) * width, v = rows[y][2];
        for (let x = 0; x < columns.length; x++) {
          const left = columns[x][0], right = columns[x][1], u = columns[x][2];
          for (let c = 0; c < channels; c++) {
            const above = (1 - u) * data[(top + left) * channels + c] + u * data[(top + right) * channels + c];
            const below = (1 - u) * data[(bottom + left) * channels + c] + u * data[(bottom + right) * channels + c];
            output.data[at++] = (1 - v) * above + v * below;
          }
        }
      }
    }
  });
}

// ---- operations by the name that a graph uses: (inputs, node, builder) -> value

const OPERATIONS = {
  ...Object.fromEntries(Object.entries(LOOPS).map(([name, kernel]) => [name, elementwise(kernel.length === 4 ? 1 : 2, () => kernel)])),
  ...Object.fromEntries(Object.entries(FUNCTIONS).map(([name, f]) => [name, elementwise(1, () => loop(f))])),
  ...Object.fromEntries(Object.entries(BINARY_FUNCTIONS).map(([name, f]) => [name, elementwise(2, () => loop2(f))])),
  leaky_relu: elementwise(1, leakyRelu),
  clamp: elementwise(1, clamp),
  elu: elementwise(1, elu),
  softplus: elementwise(1, softplus),
  gelu: elementwise(1, gelu),
  where: elementwise(3, () => where),

  sum: reduction(sum),
  mean: reduction((data, from, n) => sum(data, from, n) / n),
  var: reduction(variance),
  amax: reduction((data, from, n) => data[from + argmax(data, from, n)]),
  amin: reduction((data, from, n) => data[from + argmin(data, from, n)]),
  argmax: reduction(argmax),
  argmin: reduction(argmin),
  any: reduction(any),
  softmax: rowwise(softmax),
  log_softmax: rowwise(logSoftmax),

  linear,
  matmul,
  lookup,
  conv2d,
  conv_transpose2d: convTranspose2d,
  max_pool2d: slidingPool(false),
  avg_pool2d: slidingPool(true),
  adaptive_max_pool2d: adaptivePool(false),
  adaptive_avg_pool2d: adaptivePool(true),
  upsample_nearest2d: upsampleNearest,
  upsample_bilinear2d: upsampleBilinear,

  // dims: how many of the last dimensions are standardised together
  layer_norm(inputs, node, builder) {
    expect(inputs, 3);
    const [value, weight, b] = inputs;
    const shape = value.shape.slice(-integer(node, 'dims', 1));
    expectShape(weight, shape, 'the weight');
    expectShape(b, shape, 'the bias');
    return normalise(value, sizeOf(shape), 1, [weight, b], number(node, 'eps'), builder);
  },

  group_norm(inputs, node, builder) {
    expect(inputs, 3);
    const [value, weight, b] = inputs, [batch, channels] = value.shape;
    const groups = integer(node, 'groups', 1);
    if (channels % groups) throw new Error(`${channels} channels do not form ${groups} groups`);
    expectShape(weight, [channels], 'the weight');
    expectShape(b, [channels], 'the bias');
    const size = sizeOf(value.shape) / batch;
    return normalise(value, size / groups, size / channels, [weight, b], number(node, 'eps'), builder);
  },

  // with the running mean and variance
  batch_norm(inputs, node, builder) {
    expect(inputs, 5);
    const [value, ...parameters] = inputs, channels = value.shape[1], eps = number(node, 'eps');
    const [weight, b, mean, variances] = parameters.map((parameter) => bias(parameter, channels, builder));
    const rank = value.shape.length, order = [0, ...Array.from({ length: rank - 2 }, (_, d) => d + 2), 1];
    const x = inTorchOrder(permuted(value, order), builder); // channels last
    const output = result(inputs, x.shape, x.strides);
    step(builder, output, () => {
      for (let i = 0, c = 0; i < output.data.length; i++, c = c + 1 < channels ? c + 1 : 0) {
        output.data[i] = ((x.data[i] - mean[c]) / Math.sqrt(variances[c] + eps)) * weight[c] + b[c];
      }
    });
    return permuted(output, value.shape.map((_, d) => order.indexOf(d)));
  },

  reshape([value, ...others], node, builder) {
    expect(others, 0);
    return reshaped(value, integers(node, 'shape', null, 1), builder);
  },

  expand([value, ...others], node) {
    expect(others, 0);
    sizeOf(node.shape);
    return expanded(value, node.shape);
  },

  permute([value, ...others], node) {
    expect(others, 0);
    const dims = dimensions(node, value.shape.length);
    if (dims.length !== value.shape.length) throw new Error(`dims cannot be [${dims}] of [${value.shape}]`);
    return permuted(value, dims);
  },

  // `length` elements of a dimension, from `start` on, `step` apart
  slice([value, ...others], node) {
    expect(others, 0);
    const dim = dimension(node, value.shape.length);
    const start = integer(node, 'start', 0), length = integer(node, 'length', 1), every = integer(node, 'step', 1);
    if (start + (length - 1) * every >= value.shape[dim]) {
      throw new Error(`[${value.shape}] has no slice of ${length} from ${start}, ${every} apart, in dimension ${dim}`);
    }
    return {
      ...value, offset: value.offset + start * value.strides[dim],
      shape: replaced(value.shape, dim, length), strides: replaced(value.strides, dim, every * value.strides[dim]),
    };
  },

  flip([value, ...others], node) {
    expect(others, 0);
    let { offset } = value;
    const strides = [...value.strides];
    for (const d of dimensions(node, value.shape.length)) {
      offset += (value.shape[d] - 1) * strides[d];
      strides[d] = -strides[d];
    }
    return { ...value, offset, strides };
  },

  concatenate(inputs, node, builder) {
    if (!inputs.length) throw new Error('it reads no values');
    const { shape } = inputs[0], dim = dimension(node, shape.length);
    for (const value of inputs) expectShape(value, replaced(shape, dim, null), 'a part');
    const total = inputs.reduce((n, value) => n + value.shape[dim], 0);
    const output = result(inputs, replaced(shape, dim, total));
    let offset = 0;
    for (const value of inputs) {
      copyInto({ ...output, offset, shape: value.shape }, value, builder);
      offset += value.shape[dim] * output.strides[dim];
    }
    return output;
  },

  // before, after: how many elements are added to each dimension
  pad([value, ...others], node, builder) {
    expect(others, 0);
    const before = integers(node, 'before', value.shape.length, 0), after = integers(node, 'after', value.shape.length, 0);
    if (node.mode === 'constant') {
      const output = result([value], value.shape.map((n, d) => n + before[d] + after[d]));
      output.data.fill(number(node, 'value'));
      const offset = before.reduce((at, n, d) => at + n * output.strides[d], 0);
      copyInto({ ...output, offset, shape: value.shape }, value, builder);
      return output;
    }
    return value.shape.reduce((padded, n, dim) => {
      if (!before[dim] && !after[dim]) return padded;
      const indices = Array.from({ length: before[dim] + n + after[dim] }, (_, i) => outside(i - before[dim], n, node.mode));
      return lookup([padded, constant([indices.length], indices)], { name: node.name, dim }, builder);
    }, value);
  },
};

// Returns which of n elements stands at a position before or after them
function outside(i, n, mode) {
  if (mode === 'reflect') return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
  if (mode === 'replicate') return Math.min(Math.max(i, 0), n - 1);
  if (mode === 'circular') return (i + n) % n;
  throw new Error(`mode cannot be ${mode}`);
}

// Computes rows (m, k) times matrix (n, k) transposed, plus bias (n); row i is written at
// output[start + i * step]. It processes four columns and two rows at a time, so that each value read is used
// several times while it is in a register.
function multiply(rows, m, matrix, n, k, bias, output, start, step) {
  const whole = n - (n % 4);
  let i = 0;
  for (; i + 1 < m; i += 2) {
    const r0 = i * k, r1 = r0 + k, o0 = start + i * step, o1 = o0 + step;
    for (let j = 0; j < whole; j += 4) {
      const w0 = j * k, w1 = w0 + k, w2 = w1 + k, w3 = w2 + k;
      let a0 = bias[j], a1 = bias[j + 1], a2 = bias[j + 2], a3 = bias[j + 3];
      let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
      for (let t = 0; t < k; t++) {
        const x = rows[r0 + t], y = rows[r1 + t];
        const p = matrix[w0 + t], q = matrix[w1 + t], r = matrix[w2 + t], s = matrix[w3 + t];
        a0 += x * p; a1 += x * q; a2 += x * r; a3 += x * s;
        b0 += y * p; b1 += y * q; b2 += y * r; b3 += y * s;
      }
      output[o0 + j] = a0; output[o0 + j + 1] = a1; output[o0 + j + 2] = a2; output[o0 + j + 3] = a3;
      output[o1 + j] = b0; output[o1 + j + 1] = b1; output[o1 + j + 2] = b2; output[o1 + j + 3] = b3;
    }
  }
  for (; i < m; i++) {
    const r0 = i * k, o0 = start + i * step;
    for (let j = 0; j < whole; j += 4) {
      const w0 = j * k, w1 = w0 + k, w2 = w1 + k, w3 = w2 + k;
      let a0 = bias[j], a1 = bias[j + 1], a2 = bias[j + 2], a3 = bias[j + 3];
      for (let t = 0; t < k; t++) {
        const x = rows[r0 + t];
        a0 += x * matrix[w0 + t]; a1 += x * matrix[w1 + t]; a2 += x * matrix[w2 + t]; a3 += x * matrix[w3 + t];
      }
      output[o0 + j] = a0; output[o0 + j + 1] = a1; output[o0 + j + 2] = a2; output[o0 + j + 3] = a3;
    }
  }
  for (let j = whole; j < n; j++) multiplyColumn(rows, m, matrix, j, k, bias[j], output, start + j, step);
}

// Computes column j of `multiply`, four rows at a time: a sum that waits for itself leaves the processor idle.
function multiplyColumn(rows, m, matrix, j, k, bias, output, start, step) {
  const w = j * k;
  let i = 0;
  for (; i + 3 < m; i += 4) {
    const r0 = i * k, r1 = r0 + k, r2 = r1 + k, r3 = r2 + k, o = start + i * step;
    let a = bias, b = bias, c = bias, d = bias;
    for (let t = 0; t < k; t++) {
      const p = matrix[w + t];
      a += rows[r0 + t] * p; b += rows[r1 + t] * p; c += rows[r2 + t] * p; d += rows[r3 + t] * p;
    }
    output[o] = a; output[o + step] = b; output[o + 2 * step] = c; output[o + 3 * step] = d;
  }
  for (; i < m; i++) {
    const r = i * k;
    let a = bias;
    for (let t = 0; t < k; t++) a += rows[r + t] * matrix[w + t];
    output[start + i * step] = a;
  }
}
