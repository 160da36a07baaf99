// An encoder of PNG (https://www.w3.org/TR/png-3/), written without a canvas: browsers that protect against
// fingerprinting alter what a page reads from one.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

// rgba: bytes (height * width * 4); alpha is ignored. scale: the side of a pixel in the file. copyright: a text, or ''.
// Returns a promise of the file, a Blob with 8 bits a channel.
export async function encodePng({ rgba, width, height }, { scale = 1, copyright = '' } = {}) {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width * scale);
  view.setUint32(4, height * scale);
  header.set([8, 2], 8); // bits a channel, RGB
  const text = new TextEncoder().encode(`Copyright\0\0\0\0\0${copyright}`); // UTF-8, not compressed
  const chunks = [chunk('IHDR', header), ...(copyright ? [chunk('iTXt', text)] : []), chunk('IDAT', await deflate(lines(rgba, width, height, scale))), chunk('IEND', new Uint8Array())];
  return new Blob([Uint8Array.from(SIGNATURE), ...chunks], { type: 'image/png' });
}

// Returns the enlarged rows, each after a zero: its filter, none.
function lines(rgba, width, height, scale) {
  const row = 1 + 3 * width * scale, bytes = new Uint8Array(row * height * scale);
  for (let y = 0; y < height; y++) {
    const start = y * scale * row;
    for (let x = 0, to = start + 1; x < width * scale; x++, to += 3) {
      const from = 4 * (y * width + Math.floor(x / scale));
      for (let c = 0; c < 3; c++) bytes[to + c] = rgba[from + c];
    }
    for (let i = 1; i < scale; i++) bytes.copyWithin(start + i * row, start, start + row);
  }
  return bytes;
}

async function deflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate')); // zlib's format, as PNG's
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(type, content) {
  const bytes = new Uint8Array(12 + content.length), view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
