// Runs a network in the browser: a graph that vae/models/portable.py exports, and the tensors it reads. Memory is
// allocated when a network is built; no run allocates. Products and convolutions run in WebAssembly where the browser
// allows it, and in plain JavaScript elsewhere; all else is plain JavaScript.
import { integer, integers, isNumber, listOf } from './network/fields.js';
import { OPERATIONS } from './network/operations.js';
import { createPlain } from './network/plain.js';
import { readConstant, readSafetensors } from './network/safetensors.js';
import { createMeasure, createSimd, whyNoSimd } from './network/simd.js';
import { arranged, constant, newValue, positions, preferred, sizeOf } from './network/views.js';

export { readSafetensors };

const FORMAT = 2;

// ---- a model: its networks by name, and its weights

// file: the content of a model's network.json. bytes: its weights, in the safetensors format.
// Returns { latentDim, numClasses, height, width, channels, file, network(name), has(name), isPlain, decode, likelihood,
// encode, classify }.
// Each network is built when it is first run. Throws an Error that names what does not fit.
export function createModel(file, bytes, { plain = false } = {}) {
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
      built.set(name, createNetwork(file.networks[name], tensor, { plain }));
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
    latentDim, numClasses, height, width, channels, file, network, has, isPlain: network('decode').isPlain,
    // z (D), y a class number -> array (H * W * C) in [0, 1] that the next call overwrites
    decode: (z, y) => run('decode', z, y)[0],
    // z (D), y a class number -> { mean, logits } of p(x|z), each array (H * W * C); the next call overwrites them
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
    // x (H * W * C) in [0, 1] -> array (K), highest for the most probable class, overwritten by the next call.
    // The network returns all scores, or takes one class at a time.
    classify(x) {
      if (network('classify').inputs.length === 1) return run('classify', x)[0];
      for (let y = 0; y < numClasses; y++) scores[y] = run('classify', x, y)[0][0];
      return scores;
    },
  };
}

// ---- tensors

// ---- a network

// graph: { inputs: [{ name, shape }], nodes: [{ name, op, inputs, ...attributes }], outputs: [{ name, node }] }, the
// nodes in order of computation. A node's inputs are names of inputs and earlier nodes, "@" and the name of a tensor,
// or numbers. tensor(name) -> { shape, values }.
// Returns { inputs, outputs, run, value, isPlain }: inputs [{ name, shape }], outputs [{ name, shape }].
// run(...inputs) takes one array for each input and returns one typed array for each output; the next run overwrites
// them. An image (1, C, H, W) goes in and comes out as (H, W, C), another value in torch's order.
// value(name) returns a copy of a node's value in the last run, { shape, values } in torch's order.
// A node that depends on tensors alone is computed once, here. Throws an Error that names the node that does not fit.
// plain: computes in plain JavaScript even where WebAssembly is there; then and where it is refused, isPlain is true.
export function createNetwork(graph, tensor, { plain = false } = {}) {
  if (!plain && !whyNoSimd()) {
    const measure = createMeasure();
    build(graph, tensor, measure);
    const simd = createSimd(measure.bytes);
    if (simd) return { ...build(graph, tensor, simd), isPlain: false };
  }
  return { ...build(graph, tensor, createPlain()), isPlain: true };
}

function build(graph, tensor, arithmetic) {
  const builder = { arithmetic, steps: [] };
  const values = new Map();
  for (const { name, shape } of listOf(graph, 'inputs')) {
    sizeOf(shape);
    values.set(name, newValue(shape, preferred(shape), false, builder));
  }

  function lookUp(input) {
    if (isNumber(input)) return constant([], [Number(input)], builder);
    if (values.has(input)) return values.get(input);
    if (typeof input !== 'string' || !input.startsWith('@')) throw new Error(`it reads ${input}, which is not there`);
    const { shape, values: data } = tensor(input.slice(1));
    return constant(shape, data, builder);
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
