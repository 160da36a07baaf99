// The density of the highlighted points: contours that enclose shares of them, and the mode of each class.
import { contour, thresholdOf } from '../../runtime/contours.js';
import { themeOf } from './colours.js';
import { isLit, scaleOf, toStage } from './places.js';

export const GRID = 96; // cells across the unit square and a margin
const GRID_SIDE = 1.2; // the unit square has side 1
export const CONTOUR_SHARES = [0.9, 0.6, 0.3]; // of the points, inside each contour
const NAME_GRID = 32;
const MIN_FONT_SIZE = 14; // px, of class names

export function densityOf(places, count, grid, use) {
  const cells = new Float64Array(grid * grid);
  for (let p = 0; p < count; p++) {
    if (!use(p)) continue;
    const column = Math.floor((places[2 * p] / GRID_SIDE + 0.5) * grid);
    const row = Math.floor((places[2 * p + 1] / GRID_SIDE + 0.5) * grid);
    if (column >= 0 && row >= 0 && column < grid && row < grid) cells[row * grid + column]++; // ignore far outliers
  }
  // repeated box filters approximate a Gaussian, which is wider for fewer points
  const times = count > 3000 ? 2 : count > 800 ? 4 : 10;
  let values = cells;
  for (let i = 0; i < 2 * times; i++) {
    const from = values, step = i % 2 ? 1 : grid;
    values = from.map((v, at) => ((from[at - step] ?? 0) + v + (from[at + step] ?? 0)) / 3);
  }
  return values;
}

export function drawContours(map, context) {
  map.density ??= contoursOf(map);
  const scale = scaleOf(map);
  context.save();
  context.translate(map.width / 2 - map.view.x * scale, map.height / 2 + map.view.y * scale);
  context.scale(scale, -scale);
  context.strokeStyle = themeOf(map).text;
  map.density.forEach((path, i) => {
    context.lineWidth = (0.8 + 0.5 * i) / scale;
    context.globalAlpha = 0.35 + 0.15 * i;
    context.stroke(path);
  });
  context.restore();
}

// Returns three paths in the unit square, the widest first.
export function contoursOf(map) {
  const values = densityOf(map.unit, map.points.n, GRID, (p) => isLit(map, p));
  const place = (cell) => (cell / GRID - 0.5) * GRID_SIDE;
  return CONTOUR_SHARES.map((share) => {
    const path = new Path2D();
    for (const [from, to] of contour(values, GRID, thresholdOf(values, share), false)) {
      path.moveTo(...from.map(place));
      path.lineTo(...to.map(place));
    }
    return path;
  });
}

// Draws the name of each class at its mode; a name that would cover another is left out.
export function drawNames(map, context) {
  const { classes } = map.data;
  if (classes.length < 2) return;
  if (map.namesFor !== map.unit) {
    map.namesFor = map.unit;
    map.names = classes.map((name, label) => ({ name, label, place: modeOf(map, label) })).filter(({ place }) => place);
    map.names.sort((a, b) => map.counts[b.label] - map.counts[a.label]);
  }
  const size = Math.max(MIN_FONT_SIZE, Math.min(20, map.width / 50));
  const theme = themeOf(map);
  context.font = `700 ${size}px ${theme.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = 5;
  const taken = [];
  for (const { name, label, place } of map.names) {
    if (map.shownClasses.size && !map.shownClasses.has(label)) continue;
    const [x, y] = toStage(map, ...place);
    const half = context.measureText(name).width / 2 + 3;
    if (taken.some(([tx, ty, th]) => Math.abs(x - tx) < half + th && Math.abs(y - ty) < size * 1.1)) continue;
    taken.push([x, y, half]);
    context.strokeStyle = theme.ground;
    context.strokeText(name, x, y);
    context.fillStyle = theme.text;
    context.fillText(name, x, y);
  }
}

export function modeOf(map, label) {
  const { labels, n } = map.points;
  const values = densityOf(map.unit, n, NAME_GRID, (p) => labels[p] === label);
  let best = 0;
  values.forEach((value, i) => { if (value > values[best]) best = i; });
  if (!values[best]) return null;
  // the mean of the class's points near the densest cell
  const [cx, cy] = [best % NAME_GRID, Math.floor(best / NAME_GRID)].map((c) => ((c + 0.5) / NAME_GRID - 0.5) * GRID_SIDE);
  let x = 0, y = 0, count = 0;
  for (let p = 0; p < n; p++) {
    if (labels[p] !== label || Math.hypot(map.unit[2 * p] - cx, map.unit[2 * p + 1] - cy) > 2 / NAME_GRID) continue;
    x += map.unit[2 * p];
    y += map.unit[2 * p + 1];
    count++;
  }
  return count ? [x / count, y / count] : [cx, cy];
}
