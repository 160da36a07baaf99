// The density of the highlighted points: contours that enclose shares of them, and the mode of each class.
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
  const sorted = values.filter((v) => v > 0).sort().reverse();
  const total = sorted.reduce((sum, v) => sum + v, 0);
  return CONTOUR_SHARES.map((share) => {
    let held = 0, level = 0;
    for (const value of sorted) {
      held += value;
      level = value;
      if (held >= share * total) break;
    }
    return marchingSquares(values, GRID, level);
  });
}

// Returns the path at which values cross a level, interpolated between the centres of cells.
export function marchingSquares(values, grid, level) {
  const path = new Path2D();
  const place = (cell) => ((cell + 0.5) / grid - 0.5) * GRID_SIDE;
  for (let row = 0; row + 1 < grid; row++) {
    for (let column = 0; column + 1 < grid; column++) {
      const at = row * grid + column;
      const corners = [values[at], values[at + 1], values[at + grid + 1], values[at + grid]];
      const crossings = [];
      for (let edge = 0; edge < 4; edge++) {
        const a = corners[edge] - level, b = corners[(edge + 1) % 4] - level;
        if (a >= 0 === b >= 0) continue;
        const t = a / (a - b);
        const [x, y] = [[t, 0], [1, t], [1 - t, 1], [0, 1 - t]][edge];
        crossings.push([place(column + x), place(row + y)]);
      }
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        path.moveTo(...crossings[i]);
        path.lineTo(...crossings[i + 1]);
      }
    }
  }
  return path;
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
