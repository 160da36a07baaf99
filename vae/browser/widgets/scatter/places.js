// Where the points stand. There are three coordinate systems: that of a layout (used in Python), the unit square
// around 0 to which every layout is scaled (animated), and pixels of the stage.
import { positionsOf } from './layout.js';

// Scales the layout to the unit square, both axes by the same factor.
export function place(map) {
  if (map.placed === map.data.layout.key && map.placedFor === map.points) return;
  const own = positionsOf(map.points, map.data.layout);
  const [left, right] = reach(own, 0), [bottom, top] = reach(own, 1);
  map.fit = { x: (left + right) / 2, y: (bottom + top) / 2, span: Math.max(right - left, top - bottom) || 1 };
  map.own = own;
  map.unit = new Float32Array(own.length);
  for (let p = 0; p < own.length; p += 2) [map.unit[p], map.unit[p + 1]] = toUnit(map, own[p], own[p + 1]);
  map.shown = map.unit;
  map.travelling = false;
  map.placed = map.data.layout.key;
  map.placedFor = map.points;
  map.density = null;
}

// Returns the range of nearly all points along an axis; far outliers would make the others small.
export function reach(own, axis) {
  const values = own.filter((_, i) => i % 2 === axis).sort();
  const at = (share) => values[Math.round(share * (values.length - 1))];
  const margin = 0.05 * (at(0.995) - at(0.005));
  return [Math.max(values[0], at(0.005) - margin), Math.min(values.at(-1), at(0.995) + margin)];
}

export const toUnit = (map, x, y) => [(x - map.fit.x) / map.fit.span, (y - map.fit.y) / map.fit.span];
export const toOwn = (map, u, v) => [u * map.fit.span + map.fit.x, v * map.fit.span + map.fit.y];
export const scaleOf = (map) => 0.92 * Math.min(map.width, map.height) * map.view.k;
export const toStage = (map, u, v) => {
  const scale = scaleOf(map);
  return [map.width / 2 + (u - map.view.x) * scale, map.height / 2 - (v - map.view.y) * scale];
};
export const fromStage = (map, x, y) => {
  const scale = scaleOf(map);
  return [map.view.x + (x - map.width / 2) / scale, map.view.y - (y - map.height / 2) / scale];
};

// Whether the class filter shows a point, and whether it is highlighted: the points outside a selection are dimmed.
export const isShown = (map, p) => !map.shownClasses.size || map.shownClasses.has(map.points.labels[p]);
export const isLit = (map, p) => isShown(map, p) && (!map.chosen || map.chosen[p] === 1);

export function maskOf(map, indices) {
  const mask = new Uint8Array(map.points.n);
  for (const p of indices) mask[p] = 1;
  return mask;
}

// Returns the stage position of a marker; a marker outside the stage is placed at its edge.
export function markerPlace(map, own) {
  const [x, y] = toStage(map, ...toUnit(map, ...own));
  return [Math.max(10, Math.min(map.width - 10, x)), Math.max(10, Math.min(map.height - 10, y))];
}
