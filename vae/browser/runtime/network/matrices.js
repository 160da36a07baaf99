// Products with matrices, and reading of tables.
import { dimension, expect, expectShape } from './fields.js';
import { broadcastShape, expanded, inTorchOrder, owned, part, permuted, reshaped, result, rowMajor, step } from './views.js';

export function linear(inputs, node, builder) {
  expect(inputs, 2, 3);
  const [value, weight, b] = inputs;
  const k = value.shape.at(-1);
  expectShape(weight, [null, k], 'the weight');
  const n = weight.shape[0];
  const rows = owned(inTorchOrder(value, builder), builder).data, m = rows.length / k;
  const shape = [...value.shape.slice(0, -1), n], output = result(builder, inputs, shape, rowMajor(shape));
  const multiply = createProduct(builder, m, weight, biasOf(b, n, builder));
  return step(builder, output, () => multiply(rows, 0, k, output.data, 0, n));
}

// Returns multiply(rows, at, rowStep, out, outAt, outStep): m rows (k) times a weight (n, k) transposed, plus a bias
// (n) or null. The rows of `out` have room for arithmetic.width(n) where isPadded, and else for n.
export function createProduct(builder, m, weight, bias, isPadded = false) {
  const { arithmetic } = builder, { data, shape: [n, k], constant } = inTorchOrder(weight, builder);
  const matrix = arithmetic.matrix(n, k), width = arithmetic.width(n);
  step(builder, { constant }, () => matrix.fill(data));
  const offsets = bias && inTorchOrder(bias, builder);
  if (offsets) step(builder, offsets, () => matrix.bias.set(offsets.data));
  if (isPadded || width === n || m === 1) {
    return (rows, at, rowStep, out, outAt, outStep) => arithmetic.multiply(rows, at, rowStep, m, matrix, out, outAt, outStep);
  }
  const wide = arithmetic.floats(m * width);
  return (rows, at, rowStep, out, outAt, outStep) => {
    arithmetic.multiply(rows, at, rowStep, m, matrix, wide, 0, width);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) out[outAt + i * outStep + j] = wide[i * width + j];
    }
  };
}

// Returns a bias (n) in torch's order, or null
export function biasOf(value, n, builder) {
  if (value === undefined) return null;
  expectShape(value, [n], 'the bias');
  return inTorchOrder(value, builder);
}

// (..., M, K) x (..., K, N) -> (..., M, N)
export function matmul(inputs, node, builder) {
  expect(inputs, 2);
  const [left, right] = inputs;
  if (left.shape.length < 2 || right.shape.length < 2) throw new Error('it multiplies vectors');
  const [m, k] = left.shape.slice(-2), n = right.shape.at(-1);
  if (right.shape.at(-2) !== k) throw new Error(`[${left.shape}] and [${right.shape}] do not fit each other`);
  const batch = broadcastShape([left.shape.slice(0, -2), right.shape.slice(0, -2)]);
  const rows = owned(inTorchOrder(expanded(left, [...batch, m, k]), builder), builder).data, count = rows.length / (m * k);
  const order = [...batch.keys(), batch.length + 1, batch.length];
  const columns = reshaped(permuted(expanded(right, [...batch, k, n]), order), [count, n, k], builder);
  const products = Array.from({ length: count }, (_, i) => createProduct(builder, m, part(columns, i), null));
  const shape = [...batch, m, n], output = result(builder, inputs, shape, rowMajor(shape));
  return step(builder, output, () => {
    for (let i = 0; i < products.length; i++) products[i](rows, i * m * k, k, output.data, i * m * n, n);
  });
}

// table (..., K, ...) read at `index` along a dimension, which the dimensions of the index replace
export function lookup(inputs, node, builder) {
  expect(inputs, 2);
  const [table, index] = inputs;
  const dim = dimension(node, table.shape.length), size = table.shape[dim];
  const others = table.shape.map((_, d) => d).filter((d) => d !== dim);
  const rows = inTorchOrder(permuted(table, [dim, ...others]), builder).data, length = rows.length / size;
  const indices = inTorchOrder(index, builder).data;
  const shape = [...index.shape, ...others.map((d) => table.shape[d])];
  const output = result(builder, inputs, shape, rowMajor(shape));
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
