// Operations on one element after the other.
import { expect, number } from './fields.js';
import { arranged, broadcastShape, expanded, isDense, result, sameShape, step } from './views.js';

// Returns an operation that computes one output from each element of its inputs, which broadcast. kernel(output, n,
// a, aStep, b, bStep, c, cStep) loops over buffers; a step of 0 repeats one number.
function elementwise(arity, kernelOf) {
  return (inputs, node, builder) => {
    expect(inputs, arity);
    const shape = broadcastShape(inputs.map((v) => v.shape));
    const like = inputs.find((v) => !v.constant && sameShape(v.shape, shape) && isDense(v));
    const output = result(builder, inputs, shape, like?.strides);
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

export const ELEMENTWISE = {
  ...Object.fromEntries(Object.entries(LOOPS).map(([name, kernel]) => [name, elementwise(kernel.length === 4 ? 1 : 2, () => kernel)])),
  ...Object.fromEntries(Object.entries(FUNCTIONS).map(([name, f]) => [name, elementwise(1, () => loop(f))])),
  ...Object.fromEntries(Object.entries(BINARY_FUNCTIONS).map(([name, f]) => [name, elementwise(2, () => loop2(f))])),
  leaky_relu: elementwise(1, leakyRelu),
  clamp: elementwise(1, clamp),
  elu: elementwise(1, elu),
  softplus: elementwise(1, softplus),
  gelu: elementwise(1, gelu),
  where: elementwise(3, () => where),
};
