// Strided views of buffers. As in torch, a value is { data, offset, shape, strides, constant }, so that reshaping,
// slicing and permuting copy nothing. Images are stored as (H, W, C), so that the innermost loop of a convolution reads
// consecutive memory. builder: { arithmetic, steps }; the arithmetic makes the buffers, see plain.js.

const MAX_VALUES = 2 ** 26; // of one value: a damaged shape must not fill the memory

export function sizeOf(shape) {
  const whole = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 1);
  const size = whole ? shape.reduce((a, b) => a * b, 1) : 0;
  if (!whole || size > MAX_VALUES) throw new Error(`impossible shape [${shape}]`);
  return size;
}

export function rowMajor(shape) {
  const strides = new Array(shape.length);
  for (let d = shape.length - 1, step = 1; d >= 0; step *= shape[d], d--) strides[d] = step;
  return strides;
}

// Returns the strides of new values: (H, W, C) for images, torch's order for others.
export function preferred(shape) {
  if (shape.length !== 4) return rowMajor(shape);
  const [, c, h, w] = shape;
  return [h * w * c, 1, w * c, c];
}

export function newValue(shape, strides, constant, builder) {
  return { data: builder.arithmetic.floats(sizeOf(shape)), offset: 0, shape, strides, constant };
}

export function constant(shape, values, builder) {
  return { data: builder.arithmetic.constant(values), offset: 0, shape, strides: rowMajor(shape), constant: true };
}

// Returns the value that an operation writes; a constant where all that it reads is
export function result(builder, inputs, shape, strides = preferred(shape)) {
  return newValue(shape, strides, inputs.every((v) => v.constant), builder);
}

// Runs a step whenever the network runs, or now and never again if its output is constant
export function step(builder, output, run) {
  if (!output.constant) builder.steps.push(run);
  else if (!builder.arithmetic.measures) run();
  return output;
}

export function replaced(list, at, item) {
  return list.map((other, i) => (i === at ? item : other));
}

export function sameShape(a, b) {
  return a.length === b.length && a.every((n, d) => n === b[d]);
}

function sameStrides(shape, a, b) {
  return shape.every((n, d) => n === 1 || a[d] === b[d]);
}

// Returns whether the strides visit each element of the buffer once
export function isDense({ data, offset, shape, strides }) {
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
export function positions(shape, strides, offset) {
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
export function arranged(value, strides, builder) {
  const { data, offset, shape } = value;
  const fits = offset === 0 && data.length === sizeOf(shape) && sameStrides(shape, value.strides, strides);
  if (fits) return { ...value, strides };
  const output = result(builder, [value], shape, strides);
  const sources = new Int32Array(output.data.length);
  const from = positions(shape, value.strides, offset), to = positions(shape, strides, 0);
  for (let i = 0; i < sources.length; i++) sources[to[i]] = from[i];
  return step(builder, output, () => {
    for (let i = 0; i < sources.length; i++) output.data[i] = data[sources[i]];
  });
}

export function inTorchOrder(value, builder) {
  return arranged(value, rowMajor(value.shape), builder);
}

// Returns a value whose buffer the arithmetic has made: a tensor of the weights is copied
export function owned(value, builder) {
  if (!value.constant) return value;
  const data = builder.arithmetic.floats(value.data.length);
  data.set(value.data);
  return { ...value, data };
}

// Copies a value into a view of the same shape at every run
export function copyInto(view, value, builder) {
  const from = positions(value.shape, value.strides, value.offset);
  const to = positions(view.shape, view.strides, view.offset);
  return step(builder, view, () => {
    for (let i = 0; i < from.length; i++) view.data[to[i]] = value.data[from[i]];
  });
}

// Returns `length` elements of a dimension, from `start` on, `every` apart
export function sliced(value, dim, start, length, every = 1) {
  return {
    ...value, offset: value.offset + start * value.strides[dim],
    shape: replaced(value.shape, dim, length), strides: replaced(value.strides, dim, every * value.strides[dim]),
  };
}

// Returns element i of the first dimension
export function part(value, i) {
  const { shape, strides, offset } = value;
  return { ...value, offset: offset + i * strides[0], shape: shape.slice(1), strides: strides.slice(1) };
}

export function permuted(value, dims) {
  return { ...value, shape: dims.map((d) => value.shape[d]), strides: dims.map((d) => value.strides[d]) };
}

// Returns the value as rows (M, N) in torch's order, N the elements along dims, and the dimensions that are kept
export function asRows(value, dims, builder) {
  const kept = value.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const rows = inTorchOrder(permuted(value, [...kept, ...dims]), builder);
  const length = dims.reduce((n, d) => n * value.shape[d], 1);
  return { rows, kept, length, count: rows.data.length / length };
}

export function reshaped(value, shape, builder) {
  if (sizeOf(shape) !== sizeOf(value.shape)) throw new Error(`cannot reshape [${value.shape}] to [${shape}]`);
  return { ...inTorchOrder(value, builder), shape, strides: rowMajor(shape) };
}

export function expanded(value, shape) {
  const missing = shape.length - value.shape.length;
  const strides = shape.map((n, d) => {
    const own = d < missing ? 1 : value.shape[d - missing];
    if (own !== n && own !== 1) throw new Error(`[${value.shape}] cannot be expanded to [${shape}]`);
    return own === 1 ? 0 : value.strides[d - missing];
  });
  if (missing < 0) throw new Error(`[${value.shape}] cannot be expanded to [${shape}]`);
  return { ...value, shape, strides };
}

export function broadcastShape(shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = shapes.map((shape) => shape[d - rank + shape.length] ?? 1);
    const n = Math.max(...sizes);
    if (sizes.some((m) => m !== n && m !== 1)) throw new Error(`[${shapes.join('] and [')}] do not fit each other`);
    return n;
  });
}
