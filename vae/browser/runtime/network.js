// Runs a decoder in the browser: builds decode(z, y) from safetensors bytes with a layer list in their metadata
// (see vae/models/portable.py). Plain JavaScript; no call allocates memory.
//
// Values are float64, which JavaScript computes with: float32 arrays would be converted at every access. Images
// are stored as (H, W, C), so that the innermost loop of a convolution reads consecutive memory.

// bytes: Uint8Array. Returns { latentDim, numClasses, height, width, channels, decode }.
// decode(z, y) returns a Float64Array (H * W * C) in [0, 1] that the next call overwrites.
// Throws an Error that names the layer or tensor that does not fit.
export function createDecoder(bytes) {
  const { metadata, tensor } = readSafetensors(bytes);
  const latentDim = Number(metadata.latent_dim);
  const numClasses = Number(metadata.num_classes);
  let shape = [latentDim + numClasses];
  const input = new Float64Array(shape[0]);
  let values = input;
  const steps = [];
  for (const layer of JSON.parse(metadata.layers)) {
    const build = LAYERS[layer.type];
    if (!build) throw new Error(`unknown layer ${layer.type}`);
    const built = build(layer, shape, values, tensor);
    if (built.run) steps.push(built.run);
    shape = built.shape;
    values = built.values;
  }
  if (shape.length !== 3) throw new Error('the layers do not end in an image');
  const [channels, height, width] = shape;
  return {
    latentDim, numClasses, height, width, channels,
    decode(z, y) {
      for (let i = 0; i < latentDim; i++) input[i] = z[i];
      for (let k = 0; k < numClasses; k++) input[latentDim + k] = k === y ? 1 : 0;
      for (let i = 0; i < steps.length; i++) steps[i]();
      return values;
    },
  };
}

// Parses the format: 8 bytes of header length, a JSON header, the bytes of the tensors.
function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8) throw new Error('the weights are cut off');
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > bytes.byteLength - 8) throw new Error('the weights are cut off');
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  const start = 8 + headerLength;
  return {
    metadata: header.__metadata__ ?? {},
    tensor(name, shape) {
      const entry = header[name];
      if (!entry) throw new Error(`the weights lack ${name}`);
      if (entry.dtype !== 'F32') throw new Error(`${name} is ${entry.dtype} and not F32`);
      const [from, to] = entry.data_offsets;
      const size = entry.shape.reduce((a, b) => a * b, 1);
      const fits = entry.shape.length === shape.length
        && shape.every((n, i) => n === null || n === entry.shape[i]);
      if (!fits || to - from !== 4 * size) throw new Error(`${name} has shape [${entry.shape}]`);
      if (start + to > bytes.byteLength) throw new Error('the weights are cut off');
      // copied, because the bytes may be unaligned
      return {
        shape: entry.shape,
        values: Float64Array.from(new Float32Array(bytes.slice(start + from, start + to).buffer)),
      };
    },
  };
}

const LAYERS = {
  linear({ weight, bias }, shape, input, tensor) {
    if (shape.length !== 1) throw new Error(`${weight} meets an image`);
    const inputs = shape[0];
    const { values: w, shape: [outputs] } = tensor(weight, [null, inputs]);
    const b = bias ? tensor(bias, [outputs]).values : new Float64Array(outputs);
    const output = new Float64Array(outputs);
    return { shape: [outputs], values: output, run: () => multiply(input, 1, w, outputs, inputs, b, output, 0, outputs) };
  },

  // converts torch's order [C, H, W] to (H, W, C)
  reshape({ shape: to }, shape, input) {
    const size = to.reduce((a, b) => a * b, 1);
    if (to.length !== 3 || size !== input.length) throw new Error(`cannot reshape [${shape}] to [${to}]`);
    const [channels, height, width] = to;
    if (channels === 1) return { shape: to, values: input };
    const output = new Float64Array(size);
    const pixels = height * width;
    return {
      shape: to,
      values: output,
      run() {
        for (let c = 0; c < channels; c++) {
          for (let i = 0; i < pixels; i++) output[i * channels + c] = input[c * pixels + i];
        }
      },
    };
  },

  conv2d({ weight, bias, stride, padding }, shape, input, tensor) {
    if (shape.length !== 3) throw new Error(`${weight} meets a vector`);
    const [cin, height, width] = shape;
    const { values: w, shape: [cout, , kernel] } = tensor(weight, [null, cin, null, null]);
    const b = bias ? tensor(bias, [cout]).values : new Float64Array(cout);
    const outHeight = Math.floor((height + 2 * padding - kernel) / stride) + 1;
    const outWidth = Math.floor((width + 2 * padding - kernel) / stride) + 1;
    const taps = kernel * kernel;
    const matrix = new Float64Array(cout * taps * cin); // (cout, taps, cin)
    for (let o = 0; o < cout; o++) {
      for (let t = 0; t < taps; t++) {
        for (let i = 0; i < cin; i++) matrix[(o * taps + t) * cin + i] = w[(o * cin + i) * taps + t];
      }
    }
    const output = new Float64Array(cout * outHeight * outWidth);
    const patches = new Float64Array(outWidth * taps * cin);
    return {
      shape: [cout, outHeight, outWidth],
      values: output,
      run() {
        for (let y = 0; y < outHeight; y++) {
          let at = 0;
          for (let x = 0; x < outWidth; x++) {
            for (let ky = 0; ky < kernel; ky++) {
              for (let kx = 0; kx < kernel; kx++, at += cin) {
                copyPixel(input, height, width, cin, y * stride + ky - padding, x * stride + kx - padding, patches, at);
              }
            }
          }
          multiply(patches, outWidth, matrix, cout, taps * cin, b, output, y * outWidth * cout, cout);
        }
      },
    };
  },

  // Output pixels fall into stride x stride classes. Within a class, each pixel is an ordinary convolution of
  // the input with every stride-th tap of the kernel.
  conv_transpose2d({ weight, bias, stride, padding }, shape, input, tensor) {
    if (shape.length !== 3) throw new Error(`${weight} meets a vector`);
    const [cin, height, width] = shape;
    const { values: w, shape: [, cout, kernel] } = tensor(weight, [cin, null, null, null]);
    const b = bias ? tensor(bias, [cout]).values : new Float64Array(cout);
    const outHeight = (height - 1) * stride - 2 * padding + kernel;
    const outWidth = (width - 1) * stride - 2 * padding + kernel;
    const output = new Float64Array(cout * outHeight * outWidth);
    const maxTaps = Math.ceil(kernel / stride); // along an axis, in any class
    const columns = Math.ceil(outWidth / stride);
    const patches = new Float64Array(columns * maxTaps * maxTaps * cin);
    const classes = [];
    for (let py = 0; py < stride; py++) {
      for (let px = 0; px < stride; px++) {
        const tapsY = tapsOf(py, kernel, stride, padding);
        const tapsX = tapsOf(px, kernel, stride, padding);
        const depth = tapsY.length * tapsX.length * cin;
        const matrix = new Float64Array(cout * depth); // (cout, taps, cin)
        let at = 0;
        for (let o = 0; o < cout; o++) {
          for (const [ky] of tapsY) {
            for (const [kx] of tapsX) {
              for (let i = 0; i < cin; i++) matrix[at++] = w[((i * cout + o) * kernel + ky) * kernel + kx];
            }
          }
        }
        const shiftsY = tapsY.map(([, shift]) => shift);
        const shiftsX = tapsX.map(([, shift]) => shift);
        classes.push({ py, px, shiftsY, shiftsX, depth, matrix });
      }
    }
    return {
      shape: [cout, outHeight, outWidth],
      values: output,
      run() {
        for (let k = 0; k < classes.length; k++) {
          const { py, px, shiftsY, shiftsX, depth, matrix } = classes[k];
          const across = Math.ceil((outWidth - px) / stride);
          for (let y = py; y < outHeight; y += stride) {
            const row = (y - py) / stride;
            let at = 0;
            for (let column = 0; column < across; column++) {
              for (let i = 0; i < shiftsY.length; i++) {
                for (let j = 0; j < shiftsX.length; j++, at += cin) {
                  copyPixel(input, height, width, cin, row + shiftsY[i], column + shiftsX[j], patches, at);
                }
              }
            }
            multiply(patches, across, matrix, cout, depth, b, output, (y * outWidth + px) * cout, stride * cout);
          }
        }
      },
    };
  },

  upsample({ scale }, shape, input) {
    if (shape.length !== 3) throw new Error('upsample meets a vector');
    const [channels, height, width] = shape;
    const output = new Float64Array(input.length * scale * scale);
    return {
      shape: [channels, height * scale, width * scale],
      values: output,
      run() {
        let at = 0;
        for (let y = 0; y < height * scale; y++) {
          for (let x = 0; x < width * scale; x++) {
            const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
            for (let c = 0; c < channels; c++) output[at++] = input[from + c];
          }
        }
      },
    };
  },

  relu: (layer, shape, values) => inPlace(shape, values, () => {
    for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
  }),
  leaky_relu: ({ slope }, shape, values) => inPlace(shape, values, () => {
    for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] *= slope;
  }),
  silu: (layer, shape, values) => inPlace(shape, values, () => {
    for (let i = 0; i < values.length; i++) values[i] /= 1 + Math.exp(-values[i]);
  }),
  sigmoid: (layer, shape, values) => inPlace(shape, values, () => {
    for (let i = 0; i < values.length; i++) values[i] = 1 / (1 + Math.exp(-values[i]));
  }),
};

function inPlace(shape, values, run) {
  return { shape, values, run };
}

// Returns [k, shift] pairs: output pixel p = stride * q + parity reads input pixel q + shift through tap k,
// where stride * (q + shift) = p + padding - k.
function tapsOf(parity, kernel, stride, padding) {
  const taps = [];
  for (let k = 0; k < kernel; k++) {
    if ((parity + padding - k) % stride === 0) taps.push([k, (parity + padding - k) / stride]);
  }
  return taps;
}

function copyPixel(input, height, width, channels, y, x, to, at) {
  if (y < 0 || y >= height || x < 0 || x >= width) {
    for (let c = 0; c < channels; c++) to[at + c] = 0;
  } else {
    const from = (y * width + x) * channels;
    for (let c = 0; c < channels; c++) to[at + c] = input[from + c];
  }
}

// Computes rows (m, k) times matrix (n, k) transposed, plus bias (n); row i is written at
// output[start + i * step]. It processes four columns and two rows at a time, so that each value read is used
// several times while it is in a register.
function multiply(rows, m, matrix, n, k, bias, output, start, step) {
  let i = 0;
  for (; i + 1 < m; i += 2) {
    const r0 = i * k, r1 = r0 + k, o0 = start + i * step, o1 = o0 + step;
    let j = 0;
    for (; j + 3 < n; j += 4) {
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
    for (; j < n; j++) {
      const w0 = j * k;
      let a = bias[j], b = a;
      for (let t = 0; t < k; t++) {
        const p = matrix[w0 + t];
        a += rows[r0 + t] * p;
        b += rows[r1 + t] * p;
      }
      output[o0 + j] = a;
      output[o1 + j] = b;
    }
  }
  for (; i < m; i++) {
    const r0 = i * k, o0 = start + i * step;
    let j = 0;
    for (; j + 3 < n; j += 4) {
      const w0 = j * k, w1 = w0 + k, w2 = w1 + k, w3 = w2 + k;
      let a0 = bias[j], a1 = bias[j + 1], a2 = bias[j + 2], a3 = bias[j + 3];
      for (let t = 0; t < k; t++) {
        const x = rows[r0 + t];
        a0 += x * matrix[w0 + t]; a1 += x * matrix[w1 + t]; a2 += x * matrix[w2 + t]; a3 += x * matrix[w3 + t];
      }
      output[o0 + j] = a0; output[o0 + j + 1] = a1; output[o0 + j + 2] = a2; output[o0 + j + 3] = a3;
    }
    for (; j < n; j++) {
      const w0 = j * k;
      let a = bias[j];
      for (let t = 0; t < k; t++) a += rows[r0 + t] * matrix[w0 + t];
      output[o0 + j] = a;
    }
  }
}
