// Reads weights, and the constants of a network file.
import { fromBase64 } from '../base64.js';
import { sizeOf } from './views.js';

const READERS = {
  F32: { size: 4, read: (view, at) => view.getFloat32(at, true), all: Float32Array }, // browsers are little-endian, too
  F64: { size: 8, read: (view, at) => view.getFloat64(at, true) },
  F16: { size: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  BF16: { size: 2, read: (view, at) => bfloatToNumber(view.getUint16(at, true)) },
  I64: { size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  I32: { size: 4, read: (view, at) => view.getInt32(at, true) },
};

function halfToNumber(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));
function bfloatToNumber(bits) {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

// Parses the format: 8 bytes of header length, a JSON header, the bytes of the tensors.
// bytes: Uint8Array, which may begin anywhere in a larger buffer. Returns { names, tensor(name) -> { shape, values } },
// values a Float32Array or Float64Array. Throws an Error for bytes that are cut off, and for a tensor that is not there.
export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8) throw new Error('the weights are cut off');
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > bytes.byteLength - 8) throw new Error('the weights are cut off');
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  } catch {
    throw new Error('the header of the weights is damaged');
  }
  const start = 8 + headerLength;
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const read = new Map();
  function readTensor(name) {
    if (!names.includes(name)) throw new Error(`the weights lack ${name}`);
    const { dtype, shape, data_offsets: [from, to] } = header[name];
    const reader = READERS[dtype];
    if (!reader) throw new Error(`${name} has the type ${dtype}, which is not supported`);
    const size = sizeOf(shape);
    if (!(from >= 0) || to - from !== reader.size * size) throw new Error(`${name} does not fill its shape [${shape}]`);
    if (start + to > bytes.byteLength) throw new Error(`the weights are cut off in ${name}`);
    if (reader.all) return { shape, values: new reader.all(new Uint8Array(bytes.subarray(start + from, start + to)).buffer) };
    return { shape, values: Float64Array.from({ length: size }, (_, i) => reader.read(view, start + from + i * reader.size)) };
  }
  return {
    names,
    tensor(name) {
      if (!read.has(name)) read.set(name, readTensor(name));
      return read.get(name);
    },
  };
}

// Decodes a constant of a network file: base64 of float32, or of one bit for each 0 and 1.
export function readConstant(name, { shape, float32, bits }) {
  const size = sizeOf(shape);
  const bytes = fromBase64(float32 ?? bits ?? '');
  const expected = float32 === undefined ? Math.ceil(size / 8) : 4 * size;
  if (bytes.length !== expected) throw new Error(`${name} does not fill its shape [${shape}]`);
  const view = new DataView(bytes.buffer);
  const values = Float64Array.from({ length: size }, (_, i) => (
    float32 === undefined ? (bytes[i >> 3] >> (7 - (i & 7))) & 1 : view.getFloat32(4 * i, true)
  ));
  return { shape, values };
}
