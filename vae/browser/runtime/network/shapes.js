// Operations that rearrange elements.
import { dimension, dimensions, expect, expectShape, integer, integers, number } from './fields.js';
import { lookup } from './matrices.js';
import { constant, copyInto, expanded, permuted, replaced, reshaped, result, sizeOf, sliced } from './views.js';

// Returns which of n elements stands at a position before or after them
function outside(i, n, mode) {
  if (mode === 'reflect') return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
  if (mode === 'replicate') return Math.min(Math.max(i, 0), n - 1);
  if (mode === 'circular') return (i + n) % n;
  throw new Error(`mode cannot be ${mode}`);
}

export const SHAPES = {
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
    return sliced(value, dim, start, length, every);
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
    const output = result(builder, inputs, replaced(shape, dim, total));
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
      const output = result(builder, [value], value.shape.map((n, d) => n + before[d] + after[d]));
      output.data.fill(number(node, 'value'));
      const offset = before.reduce((at, n, d) => at + n * output.strides[d], 0);
      copyInto({ ...output, offset, shape: value.shape }, value, builder);
      return output;
    }
    return value.shape.reduce((padded, n, dim) => {
      if (!before[dim] && !after[dim]) return padded;
      const indices = Array.from({ length: before[dim] + n + after[dim] }, (_, i) => outside(i - before[dim], n, node.mode));
      return lookup([padded, constant([indices.length], indices, builder)], { name: node.name, dim }, builder);
    }, value);
  },
};
