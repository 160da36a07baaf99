// What a file is, by its first bytes and never by its name, and how large its picture is, before it is decoded.

export const MAX_PIXELS = 100e6;
export const MAX_SIDE = 30_000; // px
const SAVE_AS = 'Save the picture as PNG or JPEG.';

// A file that cannot be used. The message is for the visitor: a sentence, and what to do.
export class Refusal extends Error {}

// Returns { format, width, height } of a PNG, JPEG, WebP, GIF, HEIC or AVIF file (Uint8Array); of a JPEG before its
// orientation is applied. Raises Refusal for anything else, for a file that is cut off and for a size beyond the limits.
export function readHeader(bytes) {
  if (!bytes.length) throw new Refusal('This file is empty.');
  const format = Object.keys(STARTS).find((name) => STARTS[name](bytes));
  if (!format) throw new Refusal(nameOf(bytes));
  const { width, height, whole } = read(HEADERS[format], bytes);
  if (!whole) throw new Refusal(`This ${format} file is damaged or cut off. Save it again, or choose another one.`);
  if (width * height > MAX_PIXELS) {
    throw new Refusal(`This picture has ${Math.round(width * height / 1e6)} megapixels. Make it smaller than ${MAX_PIXELS / 1e6} megapixels.`);
  }
  if (Math.max(width, height) > MAX_SIDE) {
    throw new Refusal(`This picture is ${Math.max(width, height)} pixels long. Make it shorter than ${MAX_SIDE} pixels.`);
  }
  return { format, width, height };
}

// A header that ends too early reads beyond its bytes.
function read(header, bytes) {
  try {
    const found = header(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return { ...found, whole: found.whole && found.width > 0 && found.height > 0 };
  } catch (error) {
    if (error instanceof RangeError) return { whole: false };
    throw error;
  }
}

// ---- kinds of files

const text = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + length));
const brand = (bytes) => (text(bytes, 4, 4) === 'ftyp' ? text(bytes, 8, 4) : '');
const STARTS = {
  PNG: (bytes) => text(bytes, 0, 8) === '\x89PNG\r\n\x1a\n',
  JPEG: (bytes) => text(bytes, 0, 3) === '\xff\xd8\xff',
  WebP: (bytes) => text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 4) === 'WEBP',
  GIF: (bytes) => /^GIF8[79]a/.test(text(bytes, 0, 6)),
  AVIF: (bytes) => /^avi[fs]/.test(brand(bytes)),
  HEIC: (bytes) => /^(hei[cmsx]|hev[cmsx]|mif1|msf1)/.test(brand(bytes)),
};

const OTHERS = [
  [/^%PDF/, 'This is a PDF. Take a screenshot of the page, or save the picture as PNG or JPEG.'],
  [/^(II\*\0|MM\0\*)/, `This is a TIFF or a camera's raw file. ${SAVE_AS}`],
  [/^BM[^]{4}\0{4}/, `This is a BMP file. ${SAVE_AS}`],
  [/^8BPS/, `This is a Photoshop file. ${SAVE_AS}`],
  [/^\0\0[\x01\x02]\0/, `This is an icon file. ${SAVE_AS}`],
  [/^(\xff\x0a|\0\0\0\x0cJXL )/, `This is a JPEG XL file. ${SAVE_AS}`],
  [/^(\xff\x4f\xff\x51|\0\0\0\x0cjP)/, `This is a JPEG 2000 file. ${SAVE_AS}`],
  [/^(....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI )/s, 'This is a video. Take a screenshot of one frame.'],
  [/^PK\x03\x04/, 'This is a zip archive or an Office document. Choose one picture from it.'],
  [/^(\x1f\x8b|7z\xbc\xaf|Rar!)/, 'This is an archive. Choose one picture from it.'],
];

function nameOf(bytes) {
  const start = text(bytes, 0, 1024);
  const known = OTHERS.find(([pattern]) => pattern.test(start));
  if (known) return known[1];
  if (/<svg[\s>]/i.test(start)) return 'This is an SVG drawing. Take a screenshot of it, or export it as PNG.';
  if (/^\s*<(!doctype html|html)/i.test(start)) return 'This is a web page. Save the picture on it, or take a screenshot.';
  if (!/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(start)) return 'This is a text file. Choose a picture: PNG, JPEG, WebP, GIF or HEIC.';
  return `This file is not a picture, or of a kind that browsers cannot read. ${SAVE_AS}`;
}

// ---- headers: (bytes, view) -> { width, height, whole: whether the file reaches its end }

const HEADERS = { PNG: png, JPEG: jpeg, WebP: webp, GIF: gif, AVIF: heif, HEIC: heif };

function png(bytes, view) {
  let at = 8, last = '';
  while (at + 12 <= bytes.length && last !== 'IEND') {
    last = text(bytes, at + 4, 4);
    at += 12 + view.getUint32(at);
  }
  return { width: view.getUint32(16), height: view.getUint32(20), whole: last === 'IEND' && at <= bytes.length };
}

function jpeg(bytes, view) {
  let at = 2, size = {};
  while (bytes[at + 1] !== 0xda) { // the start of the pixels
    const marker = bytes[at + 1];
    if (at + 1 >= bytes.length || bytes[at] !== 0xff) return { whole: false };
    if (marker === 0xff) {
      at += 1; // padding
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return { ...size, whole: endsAfter(bytes, at) };
}

// Some cameras append data behind the end of the picture; a thumbnail in the header has an end of its own.
function endsAfter(bytes, start) {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xd9) return true;
  }
  return false;
}

function webp(bytes, view) {
  const whole = 8 + view.getUint32(4, true) <= bytes.length;
  const kind = text(bytes, 12, 4);
  if (kind === 'VP8X') return { whole, width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
  if (kind === 'VP8 ') return { whole, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  const bits = view.getUint32(21, true); // VP8L
  return { whole: whole && kind === 'VP8L', width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
}

const uint24 = (view, at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);

// Only the first frame has to be whole.
function gif(bytes, view) {
  const table = (flags) => (flags & 0x80 ? 3 * 2 ** (1 + (flags & 7)) : 0);
  const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  let at = 13 + table(bytes[10]);
  while (bytes[at] === 0x21) at = blocksEnd(view, at + 2); // extensions
  if (bytes[at] !== 0x2c) return { ...size, whole: false };
  return { ...size, whole: blocksEnd(view, at + 11 + table(bytes[at + 9])) <= bytes.length };
}

function blocksEnd(view, at) {
  while (view.getUint8(at)) at += 1 + view.getUint8(at);
  return at + 1;
}

// The largest image of an ISO container: a photo is often made of tiles and has a thumbnail.
function heif(bytes, view) {
  let width = 0, height = 0, at = 0, hasPixels = false;
  for (let i = bytes.indexOf(0x69); i >= 0 && i < MAX_META; i = bytes.indexOf(0x69, i + 1)) {
    if (text(bytes, i, 4) !== 'ispe') continue;
    const [w, h] = [view.getUint32(i + 8), view.getUint32(i + 12)];
    if (w * h > width * height) [width, height] = [w, h];
  }
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at);
    hasPixels ||= text(bytes, at + 4, 4) === 'mdat';
    at = size === 0 ? bytes.length : at + (size === 1 ? Number(view.getBigUint64(at + 8)) : Math.max(8, size));
  }
  return { width, height, whole: hasPixels && at === bytes.length };
}

const MAX_META = 2 ** 18; // bytes in which the sizes of a HEIC file's images stand
