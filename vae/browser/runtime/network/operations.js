// Operations by the name that a graph uses: (inputs, node, builder) -> value.
import { ALONG_DIMENSIONS } from './along_dimensions.js';
import { conv2d, convTranspose2d } from './convolutions.js';
import { ELEMENTWISE } from './elementwise.js';
import { linear, lookup, matmul } from './matrices.js';
import { SHAPES } from './shapes.js';
import { WINDOWS } from './windows.js';

export const OPERATIONS = {
  ...ELEMENTWISE, ...ALONG_DIMENSIONS, ...SHAPES, ...WINDOWS, linear, matmul, lookup, conv2d,
  conv_transpose2d: convTranspose2d,
};
