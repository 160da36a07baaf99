// An encoder of animated GIFs (GIF89a, https://www.w3.org/Graphics/GIF/spec-gif89a.txt).
const MAX_CODE = 4095; // of LZW: codes have 12 bits at most
const MAX_COLOURS = 256;

// frames: Uint8Arrays (H * W * C) of width x height pixels with 1 or 3 channels. scale: the side of a pixel in the file.
// delay: hundredths of a second per frame. comment: ASCII text. Returns the file's bytes; the animation loops for ever.
// Up to 256 colours are kept exactly; more are reduced by a median cut.
export function encodeGif(frames, { width, height, channels, scale = 1, delay, comment = '' }) {
  const rgb = frames.map((frame) => packed(frame, channels)), { palette, indexOf } = paletteOf(rgb);
  const bits = Math.max(2, Math.ceil(Math.log2(palette.length)));
  const bytes = [...ascii('GIF89a'), ...u16(width * scale), ...u16(height * scale), 0x80 | (bits - 1), 0, 0];
  for (let i = 0; i < 2 ** bits; i++) bytes.push(...rgbOf(palette[i] ?? 0));
  bytes.push(0x21, 0xff, 11, ...ascii('NETSCAPE2.0'), 3, 1, ...u16(0), 0); // repeat for ever
  if (comment) bytes.push(0x21, 0xfe, ...blocks(ascii(comment)));
  const parts = [Uint8Array.from(bytes)];
  for (const frame of rgb) {
    const head = [0x21, 0xf9, 4, 0, ...u16(delay), 0, 0, 0x2c, ...u16(0), ...u16(0), ...u16(width * scale), ...u16(height * scale), 0, bits];
    parts.push(Uint8Array.from([...head, ...blocks(lzw(enlarged(frame.map(indexOf), width, scale), bits))]));
  }
  return joined([...parts, Uint8Array.of(0x3b)]);
}

const ascii = (text) => [...text].map((c) => (c <= '~' ? c.charCodeAt(0) : 63)); // "?" for what ASCII lacks
const u16 = (value) => [value & 255, value >> 8];
const rgbOf = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  return bytes;
}

// Splits bytes into blocks of at most 255, each after its length; an empty one ends them.
function blocks(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    found.push(block.length, ...block);
  }
  return [...found, 0];
}

// Returns the pixels as 24-bit numbers.
function packed(frame, channels) {
  const green = channels > 1 ? 1 : 0, blue = channels > 1 ? 2 : 0;
  return Int32Array.from({ length: frame.length / channels }, (_, i) => {
    const at = i * channels;
    return (frame[at] << 16) | (frame[at + green] << 8) | frame[at + blue];
  });
}

// Enlarges rows of indices without smoothing.
function enlarged(indices, width, scale) {
  if (scale === 1) return indices;
  const across = width * scale, large = new Uint8Array(indices.length * scale * scale);
  for (let i = 0; i < large.length; i++) {
    large[i] = indices[Math.floor(i / across / scale) * width + Math.floor((i % across) / scale)];
  }
  return large;
}

// ---- colours

// Returns at most 256 colours, and for each of the frames' colours its index.
function paletteOf(frames) {
  const counts = new Map();
  for (const frame of frames) for (const colour of frame) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const boxes = counts.size <= MAX_COLOURS ? [...counts].map((entry) => [entry]) : medianCut([...counts]);
  const indices = new Map();
  boxes.forEach((box, i) => box.forEach(([colour]) => indices.set(colour, i)));
  return { palette: boxes.map(mean), indexOf: (colour) => indices.get(colour) };
}

// Splits [colour, count] entries into 256 boxes: always the one with the widest range times its pixels, at its median.
function medianCut(entries) {
  const boxes = [measured(entries)];
  while (boxes.length < MAX_COLOURS) {
    const widest = boxes.reduce((best, box, i) => (box.weight > boxes[best].weight ? i : best), 0);
    const { entries: box, channel, count } = boxes[widest];
    box.sort((a, b) => rgbOf(a[0])[channel] - rgbOf(b[0])[channel]);
    let half = 0, at = 0;
    while (at < box.length - 1 && half + box[at][1] <= count / 2) half += box[at++][1];
    at = Math.max(1, at);
    boxes.splice(widest, 1, measured(box.slice(0, at)), measured(box.slice(at)));
  }
  return boxes.map(({ entries: box }) => box);
}

// channel: the one with the widest range. weight: that range times the number of pixels, 0 for a single colour.
function measured(entries) {
  const low = [255, 255, 255], high = [0, 0, 0];
  let count = 0;
  for (const [colour, times] of entries) {
    count += times;
    rgbOf(colour).forEach((value, c) => {
      low[c] = Math.min(low[c], value);
      high[c] = Math.max(high[c], value);
    });
  }
  const ranges = high.map((value, c) => value - low[c]), range = Math.max(...ranges);
  return { entries, count, channel: ranges.indexOf(range), weight: range * count };
}

function mean(box) {
  const sums = [0, 0, 0];
  let count = 0;
  for (const [colour, times] of box) {
    count += times;
    rgbOf(colour).forEach((value, c) => (sums[c] += times * value));
  }
  const [red, green, blue] = sums.map((sum) => Math.round(sum / count));
  return (red << 16) | (green << 8) | blue;
}

// ---- compression

// Returns the indices of a frame, compressed by GIF's LZW with codes that begin at bits + 1 bits.
function lzw(indices, bits) {
  const clear = 1 << bits, end = clear + 1, out = [];
  const table = new Int16Array((MAX_CODE + 1) << 8); // [prefix, index] -> code; 0 for none
  let size, next, waiting = 0, held = 0;
  const write = (code) => {
    held |= code << waiting;
    for (waiting += size; waiting >= 8; waiting -= 8) {
      out.push(held & 255);
      held >>>= 8;
    }
  };
  const reset = () => {
    table.fill(0);
    [size, next] = [bits + 1, end + 1];
  };
  reset();
  write(clear);
  let prefix = indices[0];
  for (let i = 1; i < indices.length; i++) {
    const key = (prefix << 8) | indices[i];
    if (table[key]) {
      prefix = table[key];
      continue;
    }
    write(prefix);
    if (next > MAX_CODE) {
      write(clear);
      reset();
    } else {
      if (next === 1 << size) size += 1;
      table[key] = next++;
    }
    prefix = indices[i];
  }
  write(prefix);
  write(end);
  if (waiting) out.push(held & 255);
  return out;
}
