// A garment on its ground, the same as in vae/data/garment.py: an even or finely textured background becomes black.
import { areaAverage } from '../area_average.js';
import { boxMean, boxOf, components, fitted, greyOf, grid, grown, histogram, map, maskOf, not, otsu, reached, toLevels, touches } from './pixels.js';

const WORK = 256; // pixels of the longer side where a garment is searched for
const DIM = 60; // mean level below which a garment's negative is not what was meant
const SHARES = [0.03, 0.95]; // of the picture, that a garment covers

// Finds the garment in a picture (RGBA). Returns { inverted, objects: [{ box, levels: grid }] }, or null where nothing
// stands out from what is at the sides.
export function findGarment(picture, invert) {
  const [width, height] = fitted(picture, WORK);
  const data = toLevels(areaAverage(picture.data, picture.width, picture.height, 4, width, height));
  const channels = [0, 1, 2].map((c) => grid(width, height, data.filter((_, i) => i % 4 === c)));
  const grounds = channels.map(groundOf);
  const { labels, parts } = components(solid(differs(channels, grounds)));
  parts.sort((a, b) => b.area - a.area || a.label - b.label);
  const share = parts.length ? parts[0].area / labels.length : 0;
  if (!(share > SHARES[0] && share < SHARES[1])) return null;
  const group = parts.filter(({ area }) => 4 * area >= parts[0].area);
  const mask = maskOf(group, labels, channels[0]);
  const grey = grid(width, height, greyOf({ width, height, data }));
  const behind = greyOf({ width, height, data: interleaved(grounds) });
  const negative = map(grey, (level, i) => 255 - Math.min(255, Math.floor((level * 255) / Math.max(behind[i], 1))));
  let sum = 0, n = 0;
  mask.levels.forEach((inside, i) => {
    sum += inside * negative.levels[i];
    n += inside;
  });
  const inverted = invert ?? sum > DIM * n; // garments of the data are lighter than their ground, and seldom nearly black
  const own = map(inverted ? negative : grey, (level, i) => (mask.levels[i] ? Math.max(level, 1) : 0));
  return { inverted, objects: [{ box: boxOf(group), levels: own }] };
}

function interleaved(channels) {
  const data = new Uint8Array(4 * channels[0].levels.length);
  channels.forEach(({ levels }, c) => levels.forEach((level, i) => (data[4 * i + c] = level)));
  return data;
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

// Fills the holes of a mask, then removes what is thin.
function solid(mask) {
  const smooth = map(boxMean(map(mask, (value) => 255 * value), 2), (value) => value > 110);
  const { labels, parts } = components(not(smooth), false);
  const holes = maskOf(parts.filter((part) => !touches(part, mask)), labels, mask);
  const filled = map(smooth, (value, i) => value | holes.levels[i]);
  const thick = grown(not(grown(not(filled), 3)), 3);
  return enclosed(2 * count(thick) > count(filled) ? thick : filled);
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
