// A garment on its ground, which becomes black, the same as in vae/data/garment.py. The first guess is what differs
// from the ground seen at the sides. Then the colours inside and outside of the guess decide.
import { areaAverage } from '../area_average.js';
import { boxMean, boxOf, components, fitted, greyOf, grid, grown, histogram, map, maskOf, not, otsu, percentile, reached, toLevels, touches } from './pixels.js';

const WORK = 256; // pixels of the longer side where a garment is searched for
const DIM = 60; // mean level below which the negative of a garment on light paper is not what was meant
const LIGHT_PAPER = 190;
const EVEN = 4; // grey levels between the 10th and the 90th percentile of an even ground
const SHARES = [0.03, 0.95]; // of the picture, that a garment covers
const AROUND = 25; // contrast is measured within the garment's longer side divided by this
const CONTRAST = 256; // the weight of a level of contrast, relative to a level of tone
const RIM = 2; // pixels at an edge that mix the garment with its ground
const BITS = 5; // of each channel, by which colours are counted
const ROUNDS = 2;
const LIKELY = 150; // of 255: how much more a colour must be the garment's than the ground's

// Finds the garment in a picture (RGBA). Returns { inverted, objects: [{ box, levels: grid }] }, or null where nothing
// stands out from what is at the sides.
export function findGarment(picture, invert) {
  const [width, height] = fitted(picture, WORK);
  const data = toLevels(areaAverage(picture.data, picture.width, picture.height, 4, width, height));
  const channels = [0, 1, 2].map((c) => grid(width, height, data.filter((_, i) => i % 4 === c)));
  let found = largest(solid(differs(channels, channels.map(groundOf))));
  if (!isPlausible(found)) return null;
  const colours = coloursOf(data);
  for (let round = 0; round < ROUNDS; round++) {
    const likely = boxMean(likelihood(colours, found.mask), 2);
    const next = largest(filled(map(likely, (level) => level > LIKELY)));
    if (!isPlausible(next)) break;
    found = next;
  }
  const mask = enclosed(found.mask);
  const grey = withoutRim(grid(width, height, greyOf({ width, height, data })), mask);
  const inverted = invert ?? isNegative(grey, mask, found.group);
  const own = map(grey, (level, i) => (mask.levels[i] ? Math.max(inverted ? 255 - level : level, 1) : 0));
  return { inverted, objects: [{ box: boxOf(found.group), levels: own }] };
}

// Returns the mask of the largest component and of those a quarter as large, and these components.
function largest(mask) {
  const { labels, parts } = components(mask);
  parts.sort((a, b) => b.area - a.area || a.label - b.label);
  const group = parts.filter(({ area }) => 4 * area >= parts[0].area);
  return { mask: maskOf(group, labels, mask), group };
}

function isPlausible({ mask, group }) {
  const share = group.length ? group[0].area / mask.levels.length : 0;
  return share > SHARES[0] && share < SHARES[1];
}

// Whether the data would show the negative of a garment's grey levels. The data's garments are negatives of photographs
// on light, even paper: there the negative is meant unless it is dim. On another ground, the tones that resemble the
// data's count: they get darker towards the outline, so that on average a pixel is lighter than what surrounds it.
// Where tones are flat, light ones resemble the data's.
function isNegative(grey, mask, group) {
  const own = grey.levels.filter((_, i) => mask.levels[i]), near = grown(mask, 3).levels;
  const outside = grey.levels.filter((_, i) => !near[i]);
  if (outside.length && percentile(outside, 0.5) >= LIGHT_PAPER && percentile(outside, 0.9) - percentile(outside, 0.1) <= EVEN) {
    return own.reduce((sum, level) => sum + level, 0) < (255 - DIM) * own.length;
  }
  const [left, top, right, bottom] = boxOf(group);
  const radius = Math.max(RIM + 2, Math.floor(Math.max(right - left, bottom - top) / AROUND));
  const inner = not(grown(not(mask), radius)), around = boxMean(grey, radius).levels;
  const counted = inner.levels.some(Boolean) ? inner.levels : mask.levels;
  return grey.levels.reduce((sum, level, i) => sum + (counted[i] ? CONTRAST * (level - around[i]) + level - 128 : 0), 0) < 0;
}

// Returns grey with the tones beside the edge of a mask taken from further inside. Pixels at the edge mix the garment
// with its ground.
function withoutRim(grey, mask) {
  const inner = not(grown(not(mask), RIM));
  const weight = boxMean(map(inner, (inside) => 255 * inside), RIM + 1).levels;
  const total = boxMean(map(inner, (inside, i) => inside * grey.levels[i]), RIM + 1).levels;
  return map(grey, (level, i) => (inner.levels[i] || weight[i] < 32 ? level : Math.min(255, Math.floor((total[i] * 255) / weight[i]))));
}

// Returns the colour of each pixel of RGBA data as one number of 3 * BITS bits.
function coloursOf(data) {
  return Uint16Array.from({ length: data.length / 4 }, (_, i) => [0, 1, 2].reduce((colour, c) => (colour << BITS) | (data[4 * i + c] >> (8 - BITS)), 0));
}

// Returns how likely each pixel's colour is the garment's, by the colours inside and outside a mask.
function likelihood(colours, mask) {
  const shrunk = not(grown(not(mask), 2)), inner = count(shrunk) ? shrunk : mask, outer = not(grown(mask, 3));
  const inside = counted(colours, inner), outside = counted(colours, outer);
  const ofInner = Math.max(1, count(inner)), ofOuter = Math.max(1, count(outer));
  const shares = inside.map((n, colour) => {
    const one = n * ofOuter, other = outside[colour] * ofInner;
    return one + other > 0 ? Math.floor((255 * one) / (one + other)) : 127;
  });
  return map(mask, (_, i) => shares[colours[i]]);
}

// Counts the colours inside a mask, each together with its neighbours in every channel.
function counted(colours, mask) {
  let counts = new Float64Array(1 << (3 * BITS));
  mask.levels.forEach((inside, i) => (counts[colours[i]] += inside));
  for (let shift = 0; shift < 3 * BITS; shift += BITS) {
    const alone = counts, last = (1 << BITS) - 1;
    counts = alone.map((n, colour) => {
      const level = (colour >> shift) & last;
      return n + (level > 0 ? alone[colour - (1 << shift)] : 0) + (level < last ? alone[colour + (1 << shift)] : 0);
    });
  }
  return counts;
}

// The ground behind the middle: between what is seen at the four sides.
function groundOf(channel) {
  const { width, height } = channel;
  const { levels } = boxMean(channel, Math.max(1, Math.floor(Math.max(width, height) / 20)));
  return map(channel, (_, i) => {
    const x = i % width, y = (i - x) / width;
    const across = levels[y * width] * (width - x) + levels[(y + 1) * width - 1] * x;
    const down = levels[x] * (height - y) + levels[(height - 1) * width + x] * y;
    return (Math.floor(across / width) + Math.floor(down / height)) >> 1;
  });
}

// Which pixels differ from the ground more than the outermost pixels do.
function differs(channels, grounds) {
  const smooth = channels.map((channel) => boxMean(channel, 1).levels);
  const rest = map(channels[0], (_, i) => Math.max(...smooth.map((levels, c) => Math.abs(levels[i] - grounds[c].levels[i]))));
  const { width, height } = rest, side = Math.max(1, Math.floor(Math.max(width, height) / 25));
  const outer = rest.levels.filter((_, i) => {
    const x = i % width, y = (i - x) / width;
    return x < side || y < side || x >= width - side || y >= height - side;
  });
  const usual = reached(histogram(outer), 0.8 * outer.length);
  const least = Math.max(12, Math.floor((usual * 3) / 2));
  const parted = otsu(rest.levels, 0, least, Math.floor((least * 5) / 4));
  return map(rest, (value) => value > parted);
}

// Fills the holes of a mask.
function filled(mask) {
  const { labels, parts } = components(not(mask), false);
  const holes = maskOf(parts.filter((part) => !touches(part, mask)), labels, mask);
  return map(mask, (value, i) => value | holes.levels[i]);
}

// Fills the holes of a mask, then removes what is thin.
function solid(mask) {
  const whole = filled(map(boxMean(map(mask, (value) => 255 * value), 2), (value) => value > 110));
  const thick = grown(not(grown(not(whole), 3)), 3);
  return enclosed(2 * count(thick) > count(whole) ? thick : whole);
}

const count = ({ levels }) => levels.reduce((sum, value) => sum + value, 0);

// Adds to a mask what has some of it to the left, to the right, above and below.
function enclosed(mask) {
  const { width, height, levels } = mask;
  const first = (n, m, at) => Array.from({ length: n }, (_, i) => {
    let low = m, high = -1;
    for (let j = 0; j < m; j++) if (levels[at(i, j)]) [low, high] = [Math.min(low, j), j];
    return [low, high];
  });
  const rows = first(height, width, (y, x) => y * width + x), columns = first(width, height, (x, y) => y * width + x);
  return map(mask, (_, i) => {
    const x = i % width, y = (i - x) / width;
    return x >= rows[y][0] && x <= rows[y][1] && y >= columns[x][0] && y <= columns[x][1];
  });
}
