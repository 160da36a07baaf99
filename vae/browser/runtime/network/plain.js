// The arithmetic of a network in plain JavaScript. Values are float64, which JavaScript computes with: float32 arrays
// would be converted at every access.
//
// floats(n): a new buffer of zeros. constant(values): the buffer that holds a tensor. measures: whether the arithmetic
// only counts what a network needs, see simd.js. width(n): the room that rows of n products need.
// matrix(n, k) -> { width, bias (n), fill(values) }, values (n, k).
// multiply(rows, at, rowStep, m, matrix, out, outAt, outStep): out[i, j] = bias[j] + sum over k of rows[i, k] * values[j, k].
// windows, of `patches` and `scatter`, which is its reverse: the image's height, width and `pixel`, the values from one
// pixel to the next; depth, how many of them a patch takes; kernel and dilation [y, x]; `columns` patches, `stride`
// pixels apart, the first at column `left`. A patch is (kernelY, kernelX, depth), and 0 outside the image.
export function createPlain() {
  return {
    measures: false,
    floats: (n) => new Float64Array(n),
    constant: (values) => Float64Array.from(values),
    width: (n) => n,
    matrix: (n, k) => ({ n, k, bias: new Float64Array(n), values: null, fill(values) { this.values = values; } }),
    multiply(rows, at, rowStep, m, { values, n, k, bias }, out, outAt, outStep) {
      multiply(rows, at, rowStep, m, values, n, k, bias, out, outAt, outStep);
    },
    patches, scatter,
  };
}

// Writes the patches of one row of output pixels. top: the image's row under the first row of the kernel
function patches(image, at, { height, width, pixel, depth, kernel, dilation, columns, stride, left }, top, out, outStep) {
  for (let column = 0; column < columns; column++) {
    let to = column * outStep;
    for (let ky = 0; ky < kernel[0]; ky++) {
      const y = top + ky * dilation[0];
      for (let kx = 0; kx < kernel[1]; kx++) {
        const x = left + column * stride + kx * dilation[1];
        if (y < 0 || y >= height || x < 0 || x >= width) {
          for (let c = 0; c < depth; c++) out[to++] = 0;
        } else {
          const from = at + (y * width + x) * pixel;
          for (let c = 0; c < depth; c++) out[to++] = image[from + c];
        }
      }
    }
  }
}

// Adds the patches of one row to the image
function scatter(image, at, { height, width, pixel, depth, kernel, dilation, columns, stride, left }, top, patches, patchStep) {
  for (let column = 0; column < columns; column++) {
    let from = column * patchStep;
    for (let ky = 0; ky < kernel[0]; ky++) {
      const y = top + ky * dilation[0];
      for (let kx = 0; kx < kernel[1]; kx++, from += depth) {
        const x = left + column * stride + kx * dilation[1];
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        const to = at + (y * width + x) * pixel;
        for (let c = 0; c < depth; c++) image[to + c] += patches[from + c];
      }
    }
  }
}

// Processes four columns and two rows at a time, so that each value read is used several times while it is in a register.
function multiply(rows, at, rowStep, m, matrix, n, k, bias, output, start, step) {
  const whole = n - (n % 4);
  let i = 0;
  for (; i + 1 < m; i += 2) {
    const r0 = at + i * rowStep, r1 = r0 + rowStep, o0 = start + i * step, o1 = o0 + step;
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
    const r0 = at + i * rowStep, o0 = start + i * step;
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
  for (let j = whole; j < n; j++) multiplyColumn(rows, at, rowStep, m, matrix, j, k, bias[j], output, start + j, step);
}

// Computes column j of `multiply`, four rows at a time: a sum that waits for itself leaves the processor idle.
function multiplyColumn(rows, at, rowStep, m, matrix, j, k, bias, output, start, step) {
  const w = j * k;
  let i = 0;
  for (; i + 3 < m; i += 4) {
    const r0 = at + i * rowStep, r1 = r0 + rowStep, r2 = r1 + rowStep, r3 = r2 + rowStep, o = start + i * step;
    let a = bias, b = bias, c = bias, d = bias;
    for (let t = 0; t < k; t++) {
      const p = matrix[w + t];
      a += rows[r0 + t] * p; b += rows[r1 + t] * p; c += rows[r2 + t] * p; d += rows[r3 + t] * p;
    }
    output[o] = a; output[o + step] = b; output[o + 2 * step] = c; output[o + 3 * step] = d;
  }
  for (; i < m; i++) {
    const r = at + i * rowStep;
    let a = bias;
    for (let t = 0; t < k; t++) a += rows[r + t] * matrix[w + t];
    output[start + i * step] = a;
  }
}
