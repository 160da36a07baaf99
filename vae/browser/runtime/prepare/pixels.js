// Operations on grey levels, the same as in vae/data/pixels.py. A grid is { width, height, levels: Uint8Array }; a mask
// is a grid of 0 and 1.
import { areaAverage } from '../area_average.js';

export const grid = (width, height, levels = new Uint8Array(width * height)) => ({ width, height, levels });

export function map({ width, height, levels }, change) {
  const result = new Uint8Array(levels.length);
  for (let i = 0; i < result.length; i++) result[i] = change(levels[i], i);
  return { width, height, levels: result };
}

// Pillow's "L" of RGBA.
export function greyOf({ width, height, data }) {
  const grey = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
    grey[i] = (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 32768) >> 16;
  }
  return grey;
}

// Rounds values in [0, 255], half up.
export function toLevels(values) {
  const levels = new Uint8Array(values.length);
  for (let i = 0; i < levels.length; i++) levels[i] = Math.min(255, Math.max(0, Math.floor(values[i] + 0.5)));
  return levels;
}

export function resized({ width, height, levels }, toWidth, toHeight, box) {
  return grid(toWidth, toHeight, toLevels(areaAverage(levels, width, height, 1, toWidth, toHeight, box)));
}

// Returns [width, height] at which the longer side has `longest` pixels.
export function fitted({ width, height }, longest) {
  const longer = Math.max(width, height);
  return [width, height].map((side) => Math.max(1, Math.floor((2 * side * longest + longer) / (2 * longer))));
}

// Resizes a part that may reach beyond the grid, where all is black.
export function cut({ width, height, levels }, toWidth, toHeight, box) {
  const beyond = [-box[0], -box[1], box[2] - width, box[3] - height];
  const pad = Math.max(0, ...beyond.map(Math.ceil));
  const around = grid(width + 2 * pad, height + 2 * pad);
  for (let y = 0; y < height; y++) {
    around.levels.set(levels.subarray(y * width, (y + 1) * width), (y + pad) * around.width + pad);
  }
  return resized(around, toWidth, toHeight, box.map((edge) => edge + pad));
}

// The mean over the pixels within `radius` rows and columns that lie in the grid.
export function boxMean({ width, height, levels }, radius) {
  const rows = new Int32Array(levels.length), result = new Uint8Array(levels.length);
  for (let y = 0; y < height; y++) {
    const first = y * width;
    let sum = 0;
    for (let x = 0; x < Math.min(radius, width); x++) sum += levels[first + x];
    for (let x = 0; x < width; x++) {
      if (x + radius < width) sum += levels[first + x + radius];
      if (x - radius > 0) sum -= levels[first + x - radius - 1];
      rows[first + x] = sum;
    }
  }
  const sums = new Int32Array(width);
  for (let y = 0; y < Math.min(radius, height); y++) addRow(sums, rows, y * width, 1);
  for (let y = 0; y < height; y++) {
    if (y + radius < height) addRow(sums, rows, (y + radius) * width, 1);
    if (y - radius > 0) addRow(sums, rows, (y - radius - 1) * width, -1);
    const down = Math.min(y + radius, height - 1) - Math.max(y - radius, 0) + 1;
    for (let x = 0; x < width; x++) {
      const count = down * (Math.min(x + radius, width - 1) - Math.max(x - radius, 0) + 1);
      result[y * width + x] = (sums[x] + (count >> 1)) / count;
    }
  }
  return { width, height, levels: result };
}

function addRow(sums, rows, first, sign) {
  for (let x = 0; x < sums.length; x++) sums[x] += sign * rows[first + x];
}

// Grows a mask by `radius` pixels: an octagon, by turns four and eight neighbours.
export function grown(mask, radius) {
  for (let step = 0; step < radius; step++) {
    const across = beside(mask, true);
    mask = step % 2 ? beside(across, false) : either(across, beside(mask, false));
  }
  return mask;
}

export const either = (one, other) => map(one, (value, i) => value | other.levels[i]);
export const not = (mask) => map(mask, (value) => 1 - value);

// Grows a mask by one pixel along its rows or its columns.
export function beside({ width, height, levels }, alongRows) {
  const result = levels.slice(), step = alongRows ? 1 : width;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const isFirst = alongRows ? x === 0 : y === 0, isLast = alongRows ? x === width - 1 : y === height - 1;
      if ((!isFirst && levels[i - step]) || (!isLast && levels[i + step])) result[i] = 1;
    }
  }
  return { width, height, levels: result };
}

// Estimates the ground behind dark strokes: the lightest level that a pixel has on both sides.
export function litFromBothSides(grey, reaches) {
  const { width, height } = grey, ground = grey.levels.slice();
  for (const reach of reaches) {
    const around = padded(boxMean(grey, Math.max(1, Math.floor(reach / 6))), reach);
    const slant = Math.floor((reach * 5) / 7);
    for (const [dy, dx] of [[0, reach], [reach, 0], [slant, slant], [slant, -slant]]) {
      const away = dy * around.width + dx;
      for (let y = 0, i = 0; y < height; y++) {
        for (let x = 0, at = (y + reach) * around.width + reach; x < width; x++, i++, at++) {
          const one = around.levels[at + away], other = around.levels[at - away];
          const darker = one < other ? one : other;
          if (darker > ground[i]) ground[i] = darker;
        }
      }
    }
  }
  return { width, height, levels: ground };
}

function padded({ width, height, levels }, pad) {
  const around = grid(width + 2 * pad, height + 2 * pad);
  for (let y = 0; y < around.height; y++) {
    const from = Math.min(Math.max(y - pad, 0), height - 1) * width, to = y * around.width;
    around.levels.fill(levels[from], to, to + pad);
    around.levels.set(levels.subarray(from, from + width), to + pad);
    around.levels.fill(levels[from + width - 1], to + pad + width, to + around.width);
  }
  return around;
}

export function histogram(levels) {
  const counts = new Float64Array(256);
  for (const level of levels) counts[level]++;
  return counts;
}

// Returns the smallest level that at least this share of the pixels does not exceed.
export const percentile = (levels, share) => reached(histogram(levels), share * levels.length);

// Returns the first index up to which counts add up to at least n.
export function reached(counts, n) {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i];
    if (sum >= n) return i;
  }
  return counts.length;
}

// Returns the median grey of the outermost pixels.
export function border({ width, height, levels }) {
  const outermost = [];
  for (let x = 0; x < width; x++) outermost.push(levels[x], levels[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) outermost.push(levels[y * width], levels[(y + 1) * width - 1]);
  return percentile(outermost, 0.5);
}

// Returns the centre of mass [x, y], in pixels from the left and the top.
export function moments({ width, height, levels }) {
  let total = 0, x = 0, y = 0;
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      total += levels[i];
      x += levels[i] * (2 * column + 1);
      y += levels[i] * (2 * row + 1);
    }
  }
  total = Math.max(1, total);
  return [x / (2 * total), y / (2 * total)];
}

// Returns the level in [first, last) that best parts the levels from `least` on in two (N. Otsu, 1979).
export function otsu(levels, least, first, last) {
  const counts = histogram(levels).fill(0, 0, least);
  let total = 0, mass = 0, n = 0, sum = 0, best = -1, found = first;
  counts.forEach((count, level) => {
    total += count;
    mass += count * level;
  });
  for (let at = 0; at < Math.min(last, 256); at++) {
    n += counts[at];
    sum += counts[at] * at;
    if (at < first || n === 0 || n === total) continue;
    const apart = sum / n - (mass - sum) / (total - n), between = n * (total - n) * apart * apart;
    if (between > best) [best, found] = [between, at];
  }
  return found;
}

// Labels the connected pixels of a mask from 1 on. corners: whether pixels that touch at a corner are connected.
// Returns { labels: Int32Array, parts: [{ label, left, top, right, bottom, area }] }, in the order of first pixels.
export function components({ width, height, levels }, corners = true) {
  const labels = new Int32Array(levels.length), parts = [], stack = [];
  for (let start = 0; start < levels.length; start++) {
    if (!levels[start] || labels[start]) continue;
    const part = { label: parts.length + 1, left: width, top: height, right: 0, bottom: 0, area: 0 };
    const visit = (x, y) => {
      if (x < 0 || y < 0 || x >= width || y >= height) return;
      const i = y * width + x;
      if (!levels[i] || labels[i]) return;
      labels[i] = part.label;
      stack.push(i);
    };
    visit(start % width, Math.floor(start / width));
    while (stack.length) {
      const i = stack.pop(), x = i % width, y = (i - x) / width;
      part.area++;
      part.left = Math.min(part.left, x);
      part.top = Math.min(part.top, y);
      part.right = Math.max(part.right, x + 1);
      part.bottom = Math.max(part.bottom, y + 1);
      for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) visit(x + dx, y + dy);
      if (corners) for (const [dx, dy] of [[-1, -1], [1, -1], [-1, 1], [1, 1]]) visit(x + dx, y + dy);
    }
    parts.push(part);
  }
  return { labels, parts };
}

export const longerOf = ({ left, top, right, bottom }) => Math.max(right - left, bottom - top);

// Whether a component reaches the border.
export function touches({ left, top, right, bottom }, { width, height }) {
  return left === 0 || top === 0 || right === width || bottom === height;
}

// Returns the mask of the components of a group.
export function maskOf(group, labels, { width, height }) {
  const wanted = new Set(group.map(({ label }) => label));
  return grid(width, height, Uint8Array.from(labels, (label) => (wanted.has(label) ? 1 : 0)));
}

// Returns the box [left, top, right, bottom] around components.
export function boxOf(group) {
  return [
    Math.min(...group.map(({ left }) => left)), Math.min(...group.map(({ top }) => top)),
    Math.max(...group.map(({ right }) => right)), Math.max(...group.map(({ bottom }) => bottom)),
  ];
}

// Returns the box around the light part of a grid, between pixels where an edge is soft. The profile of a side is its
// lightest row or column. Its edge lies where the profile passes 128, so that the tone of the paper moves it by little.
export function boxAround({ width, height, levels }) {
  const across = new Uint8Array(width), down = new Uint8Array(height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      across[x] = Math.max(across[x], levels[i]);
      down[y] = Math.max(down[y], levels[i]);
    }
  }
  const [left, right] = endsOf(across), [top, bottom] = endsOf(down);
  return [left, top, right, bottom];
}

function endsOf(profile) {
  const isLight = (level) => level > 127;
  const first = profile.findIndex(isLight), last = profile.findLastIndex(isLight);
  return [
    first + 0.5 - (profile[first] - 127.5) / (profile[first] - (profile[first - 1] ?? 0)),
    last + 0.5 + (profile[last] - 127.5) / (profile[last] - (profile[last + 1] ?? 0)),
  ];
}
