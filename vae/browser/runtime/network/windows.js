// Operations on the windows of an image: pooling and resizing.
import { imageOf } from './convolutions.js';
import { expect, integers, number } from './fields.js';
import { result, step } from './views.js';

// Computes each pixel of the output from a window of the input. rows, columns: for each output row and column
// { taps, count }, the input rows or columns that lie inside the image, and how many the window has for an average.
// average: false for the largest
function pool(value, rows, columns, average, builder) {
  const image = imageOf(value, builder);
  const [batch, channels, height, width] = image.shape;
  const output = result(builder, [value], [batch, channels, rows.length, columns.length]);
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
  const output = result(builder, inputs, [batch, channels, ...shape]);
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
  const output = result(builder, inputs, [batch, channels, rows.length, columns.length]);
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

export const WINDOWS = {
  max_pool2d: slidingPool(false),
  avg_pool2d: slidingPool(true),
  adaptive_max_pool2d: adaptivePool(false),
  adaptive_avg_pool2d: adaptivePool(true),
  upsample_nearest2d: upsampleNearest,
  upsample_bilinear2d: upsampleBilinear,
};
