// Convolutions as products with matrices. A patch holds the pixels under a kernel, (kernelY, kernelX, channels).
import { expect, expectShape, integer, integers } from './fields.js';
import { biasOf, createProduct } from './matrices.js';
import { arranged, owned, permuted, preferred, reshaped, result, sliced, step } from './views.js';

export function imageOf(value, builder) {
  if (value.shape.length !== 4) throw new Error(`it reads [${value.shape}] and not images`);
  return arranged(value, preferred(value.shape), builder);
}

// Returns the fields that both convolutions have, each along height and width
function geometry(node) {
  const of = (key, least) => integers(node, key, 2, least);
  const groups = integer(node, 'groups', 1);
  return { stride: of('stride', 1), padding: of('padding', 0), dilation: of('dilation', 1), groups };
}

// Multiplies the patches of one row of output pixels at a time.
export function conv2d(inputs, node, builder) {
  expect(inputs, 2, 3);
  const { stride, padding, dilation, groups } = geometry(node), { arithmetic } = builder;
  const image = owned(imageOf(inputs[0], builder), builder), weight = inputs[1];
  const [batch, cin, height, width] = image.shape;
  expectShape(weight, [null, cin / groups, null, null], 'the weight');
  const [cout, depth, ...kernel] = weight.shape;
  if (cout % groups || !weight.constant) throw new Error(`its weight has shape [${weight.shape}]`);
  const [rows, columns] = [height, width].map((n, axis) => (
    Math.floor((n + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) + 1));
  const output = result(builder, inputs, [batch, cout, rows, columns]);
  const outputs = cout / groups, length = kernel[0] * kernel[1] * depth, bias = biasOf(inputs[2], cout, builder);
  const products = eachGroup(groups, (g) => {
    const matrix = permuted(sliced(weight, 0, g * outputs, outputs), [0, 2, 3, 1]); // (outputs, kernelY, kernelX, depth)
    return createProduct(builder, columns, reshaped(matrix, [outputs, length], builder), bias && sliced(bias, 0, g * outputs, outputs));
  });
  const patches = arithmetic.floats(columns * length);
  const windows = { height, width, pixel: cin, depth, kernel, dilation, columns, stride: stride[1], left: -padding[1] };
  return step(builder, output, () => {
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < rows; y++) {
        for (let g = 0; g < groups; g++) {
          arithmetic.patches(image.data, n * height * width * cin + g * depth, windows, y * stride[0] - padding[0], patches, length);
          products[g](patches, 0, length, output.data, (n * rows + y) * columns * cout + g * outputs, cout);
        }
      }
    }
  });
}

// Multiplies one row of input pixels at a time, each to a patch of the output, and adds the patches where they overlap.
export function convTranspose2d(inputs, node, builder) {
  expect(inputs, 2, 3);
  const { stride, padding, dilation, groups } = geometry(node), { arithmetic } = builder;
  const extra = integers(node, 'output_padding', 2, 0);
  const image = owned(imageOf(inputs[0], builder), builder), weight = inputs[1];
  const [batch, cin, height, width] = image.shape;
  expectShape(weight, [cin, null, null, null], 'the weight');
  const [, outputs, ...kernel] = weight.shape;
  if (cin % groups || !weight.constant) throw new Error(`its weight has shape [${weight.shape}]`);
  const cout = outputs * groups, depth = cin / groups;
  const [outHeight, outWidth] = [height, width].map((n, axis) => (
    (n - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel[axis] - 1) + extra[axis] + 1));
  const output = result(builder, inputs, [batch, cout, outHeight, outWidth]), { data } = output;
  const length = kernel[0] * kernel[1] * outputs, size = outHeight * outWidth * cout;
  const products = eachGroup(groups, (g) => {
    const matrix = permuted(sliced(weight, 0, g * depth, depth), [2, 3, 1, 0]); // (kernelY, kernelX, outputs, depth)
    return createProduct(builder, width, reshaped(matrix, [length, depth], builder), null, true);
  });
  const patchStep = arithmetic.width(length), patches = arithmetic.floats(width * patchStep);
  const windows = { height: outHeight, width: outWidth, pixel: cout, depth: outputs, kernel, dilation, columns: width, stride: stride[1], left: -padding[1] };
  const bias = biasOf(inputs[2], cout, builder)?.data ?? arithmetic.floats(cout);
  return step(builder, output, () => {
    repeat(data, bias);
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < height; y++) {
        for (let g = 0; g < groups; g++) {
          products[g](image.data, (n * height + y) * width * cin + g * depth, cin, patches, 0, patchStep);
          arithmetic.scatter(data, n * size + g * outputs, windows, y * stride[0] - padding[0], patches, patchStep);
        }
      }
    }
  });
}

function eachGroup(groups, make) {
  return Array.from({ length: groups }, (_, g) => make(g));
}

// Fills data with copies of a pattern
function repeat(data, pattern) {
  data.set(pattern);
  for (let done = pattern.length; done < data.length; done *= 2) data.copyWithin(done, 0, Math.min(done, data.length - done));
}
