// Operations along dimensions: sums and the like, softmax, normalisation.
import { dimension, dimensions, expect, expectShape, integer, number } from './fields.js';
import { asRows, inTorchOrder, permuted, result, rowMajor, sizeOf, step } from './views.js';
import { biasOf } from './matrices.js';

// Returns an operation that reduces dims to one number: reduce(data, from, n)
function reduction(reduce) {
  return ([value, ...others], node, builder) => {
    expect(others, 0);
    const dims = dimensions(node, value.shape.length);
    const { rows, kept, length, count } = asRows(value, dims, builder);
    const shape = node.keepdim ? value.shape.map((n, d) => (dims.includes(d) ? 1 : n)) : kept.map((d) => value.shape[d]);
    const output = result(builder, [value], shape, rowMajor(shape));
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
    const output = result(builder, [value], rows.shape, rows.strides);
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
  const output = result(builder, [value, weight, bias], value.shape, x.strides);
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

export const ALONG_DIMENSIONS = {
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
    const [weight, b, mean, variances] = parameters.map((parameter) => biasOf(parameter, channels, builder).data);
    const rank = value.shape.length, order = [0, ...Array.from({ length: rank - 2 }, (_, d) => d + 2), 1];
    const x = inTorchOrder(permuted(value, order), builder); // channels last
    const output = result(builder, inputs, x.shape, x.strides);
    step(builder, output, () => {
      for (let i = 0, c = 0; i < output.data.length; i++, c = c + 1 < channels ? c + 1 : 0) {
        output.data[i] = ((x.data[i] - mean[c]) / Math.sqrt(variances[c] + eps)) * weight[c] + b[c];
      }
    });
    return permuted(output, value.shape.map((_, d) => order.indexOf(d)));
  },
};
