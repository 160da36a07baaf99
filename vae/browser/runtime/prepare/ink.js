// Ink on its ground, the same as in vae/data/ink.py: strokes, characters and shapes are found on paper of any tone, in
// shadows, among printed lines.
import {
  beside, border, boxAround, boxMean, boxOf, components, fitted, grid, grown, histogram, litFromBothSides, longerOf, map,
  maskOf, otsu, percentile, reached, resized, touches,
} from './pixels.js';

const WORK = 512; // pixels of the longer side where ink is searched for
const MAX_OBJECTS = 12;
const DARKEST = 64; // ground: noise of a darker one would be taken for ink
const EMPTY_LEVEL = 30; // ink weaker than this (of 255) is none
const REACHES = [80, 40, 20, 10, 7]; // distances at which paper is looked for, as parts of the longer side
const SHAPE_REACHES = [80, 40, 20, 10, 6, 4, 3]; // shapes are wider than strokes
const AGAIN = [40, 15];
const SLOPE = 27; // 64ths: printed lines lie within 23 degrees of the picture's sides
const GAP = 0.15; // of an object's longer side, between its parts
const DOT_GAP = 0.4; // between a character and its dot
const MARGIN = 0.05; // of a sheet's longer side, around what is written on it
const MIN_SIDE = 0.02; // of the picture's longer side, of an object

// Finds objects of a kind, the most likely first, in a grid of grey levels. invert: whether ink is darker than its
// ground; null decides by the picture. Returns { inverted, objects: [{ box, levels: grid }] }, or null without any.
export function findInk(grey, kind, invert) {
  if (Math.max(grey.width, grey.height) > WORK) grey = resized(grey, ...fitted(grey, WORK));
  if (invert !== null) return find(grey, kind, invert);
  const found = find(grey, kind, isDarkOnLight(grey));
  if (!found || found.inverted || kind === 'shape' || !isSolid(found.objects[0])) return found;
  const inside = find(grey, kind, true); // the light area may be a sheet on a desk, and the ink is on it
  if (!inside || isSolid(inside.objects[0]) || !hasMargin(inside.objects[0].box, found.objects[0].box)) return found;
  return inside;
}

// Whether an object fills half of a box that is not narrow, as no stroke does.
function isSolid({ box: [left, top, right, bottom], levels: { levels } }) {
  const across = right - left, down = bottom - top;
  const filled = levels.reduce((sum, level) => sum + (level > 0), 0);
  return Math.min(across, down) * 2 > Math.max(across, down) && 2 * filled > across * down;
}

// Whether a box lies within another, away from its sides: as ink on a sheet, not as a gap of a thick letter.
function hasMargin(inner, outer) {
  const margin = MARGIN * Math.max(outer[2] - outer[0], outer[3] - outer[1]);
  return [0, 1].every((i) => inner[i] - outer[i] >= margin && outer[i + 2] - inner[i + 2] >= margin);
}

function find(grey, kind, inverted) {
  const dark = inverted ? grey : map(grey, (level) => 255 - level);
  const ground = groundOf(dark, kind === 'shape' ? SHAPE_REACHES : REACHES);
  const paper = percentile(ground.levels, 0.9);
  let ink = inkOf(dark, ground, paper);
  const level = inkLevel(ink.levels);
  if (level < EMPTY_LEVEL) return null;
  let least = Math.floor((level * 2) / 5); // low on a blackboard, where a shadow darkens the chalk too
  if (inverted) {
    least = otsu(ink.levels, level >> 2, Math.floor((level * 2) / 5), Math.floor((level * 7) / 10));
    const sheet = Math.floor((paper * 7) / 10);
    if (kind !== 'shape') ink = withoutLines(ink, map(ground, (value) => value > sheet), level, least);
  }
  const { labels, parts } = components(map(ink, (value) => value > least));
  const groups = groupsOf(parts, meansOf(ink, labels, parts), ink, kind);
  const objects = groups.map((group) => {
    const levels = levelled(ink, grown(maskOf(group, labels, ink), 1));
    return { box: kind === 'shape' ? boxAround(levels) : boxOf(group), levels };
  });
  return objects.length ? { inverted, objects } : null;
}

// Whether what differs most from a wide mean is darker than it.
function isDarkOnLight(grey) {
  const small = Math.max(grey.width, grey.height) > 128 ? resized(grey, ...fitted(grey, 128)) : grey;
  const wide = boxMean(small, Math.max(1, Math.max(small.width, small.height) >> 3));
  const rest = Int32Array.from(small.levels, (level, i) => level - wide.levels[i]);
  const least = Math.max(1, rest.reduce((most, value) => Math.max(most, Math.abs(value)), 0) >> 1);
  let darker = 0, lighter = 0;
  for (const value of rest) {
    if (-value > least) darker -= value;
    if (value > least) lighter += value;
  }
  return darker !== lighter ? darker > lighter : border(grey) > 127;
}

function groundOf(dark, reaches) {
  const longer = Math.max(dark.width, dark.height);
  const distances = (parts) => parts.map((part) => Math.max(2, Math.floor(longer / part)));
  // again, for what lay between strokes on every side
  return litFromBothSides(litFromBothSides(dark, distances(reaches)), distances(AGAIN));
}

// How much darker than its ground each pixel is. A dark desk does not count as paper in a deep shadow.
function inkOf(dark, ground, paper) {
  const darkest = Math.max(DARKEST, paper >> 1);
  return map(dark, (level, i) => ((ground.levels[i] - level) * 255) / Math.max(ground.levels[i], darkest));
}

// The level that the darkest ink reaches, ignoring a few pixels.
const inkLevel = (levels) => 255 - reached(histogram(levels).reverse(), Math.max(4, Math.floor(levels.length / 8000)));

// Removes printed lines, about horizontal or about vertical, and keeps the ink that crosses them.
function withoutLines(ink, paper, level, least) {
  for (let turn = 0; turn < 2; turn++) {
    const lines = linesIn(map(ink, (value) => value > level >> 2), paper);
    if (lines.levels.some(Boolean)) {
      const kept = crossing(ink, lines, level, least);
      ink = map(ink, (value, i) => (lines.levels[i] && !kept.levels[i] ? 0 : value));
    }
    [ink, paper] = [transposed(ink), transposed(paper)];
  }
  return ink;
}

function transposed({ width, height, levels }) {
  const result = grid(height, width);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) result.levels[x * height + y] = levels[i];
  }
  return result;
}

const shift = (column, width, sixtyfourth) => ((2 * column - width) * sixtyfourth) >> 7;

// Returns the mask of marks that run through all the paper, within SLOPE of the horizontal.
function linesIn(marked, paper) {
  const { width, height } = marked, rows = [], columns = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += 4) {
      if (marked.levels[y * width + x] && paper.levels[y * width + x]) {
        rows.push(y);
        columns.push(x);
      }
    }
  }
  let best = -1, slope = 0;
  for (let sixtyfourth = -SLOPE; sixtyfourth <= SLOPE; sixtyfourth++) {
    const counts = new Int32Array(height + 2 * width);
    for (let i = 0; i < rows.length; i++) counts[rows[i] - shift(columns[i], width, sixtyfourth) + width]++;
    const score = counts.reduce((sum, count) => sum + count * count, 0);
    if (score > best) [best, slope] = [score, sixtyfourth];
  }
  const whole = new Int32Array(height + 2 * width), counts = new Int32Array(height + 2 * width);
  const sheared = new Int32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      sheared[i] = y - shift(x, width, slope) + width;
      whole[sheared[i]] += paper.levels[i];
      counts[sheared[i]] += paper.levels[i] & marked.levels[i];
    }
  }
  const isLine = (row) => 10 * counts[row] >= 8 * whole[row] && 4 * whole[row] > width;
  return map(marked, (_, i) => isLine(sheared[i]) || isLine(sheared[i] - 1) || isLine(sheared[i] + 1));
}

// Which pixels of lines belong to a stroke: darker than the lines, or with ink above and below.
function crossing(ink, lines, level, least) {
  const usual = percentile(ink.levels.filter((value, i) => lines.levels[i] && value > level >> 2), 0.5);
  if (usual * 3 < level * 2) return map(ink, (value) => value > (usual + level) >> 1);
  const { width } = ink, outside = beside(beside(map(ink, (value, i) => value > least && !lines.levels[i]), true), true).levels;
  const near = (i, step) => {
    for (let reach = 1; reach < 7; reach++) if (outside[i + reach * step]) return true;
    return false;
  };
  return map(ink, (value, i) => value > least && near(i, -width) && near(i, width));
}

function meansOf(ink, labels, parts) {
  const sums = new Float64Array(parts.length + 1);
  for (let i = 0; i < labels.length; i++) sums[labels[i]] += ink.levels[i];
  return new Map(parts.map(({ label, area }) => [label, sums[label] / area]));
}

// Groups components that belong together; the groups that are most likely meant come first.
function groupsOf(parts, means, size, kind) {
  const longest = Math.max(size.width, size.height);
  const weights = new Map(parts.map((part) => [part.label, weight(part, means.get(part.label), size)]));
  parts = parts.filter((part) => part.area >= 3 && !(touches(part, size) && longerOf(part) > 0.6 * longest));
  parts.sort((a, b) => weights.get(b.label) - weights.get(a.label) || a.label - b.label);
  parts = parts.slice(0, 200);
  const groups = [];
  while (parts.length) {
    const group = [parts.shift()], longer = longerOf(group[0]);
    for (;;) {
      const near = parts.filter((part) => group.some((other) => belongs(part, other, longer, kind)));
      if (!near.length) break;
      group.push(...near);
      parts = parts.filter((part) => !near.includes(part));
    }
    groups.push(group);
  }
  if (!groups.length) return [];
  const smallest = Math.max(MIN_SIDE * longest, 4, longerOf(groups[0][0]) / 5);
  return groups.filter(([first]) => longerOf(first) >= smallest).slice(0, MAX_OBJECTS);
}

// How likely a component is the object: long, dark, no thin line, in the picture, near its middle.
function weight(part, mean, size) {
  const longer = longerOf(part);
  const line = Math.min(1, part.area / (0.03 * longer * longer));
  const x = (part.left + part.right) / size.width - 1, y = (part.top + part.bottom) / size.height - 1;
  return longer * mean * mean * line * (touches(part, size) ? 0.2 : 1) * (1 - 0.5 * Math.max(Math.abs(x), Math.abs(y)));
}

// Whether two components are parts of one object, whose largest part is `longer` pixels long.
function belongs(part, other, longer, kind) {
  if (kind === 'shape') return false;
  const across = Math.max(part.left, other.left) - Math.min(part.right, other.right);
  const down = Math.max(part.top, other.top) - Math.min(part.bottom, other.bottom);
  if (Math.max(across, down) <= GAP * longer) return true;
  return kind === 'glyph' && across < 0 && down <= DOT_GAP * longer; // the dot of an i
}

// The ink in a mask, from black where there is little to white where there is most.
function levelled(ink, mask) {
  const own = map(ink, (value, i) => (mask.levels[i] ? value : 0));
  const white = Math.max(2, percentile(own.levels.filter(Boolean), 0.75)), black = Math.floor((white * 3) / 10);
  return map(own, (value) => (Math.min(Math.max(value - black, 0), white - black) * 255) / (white - black));
}
