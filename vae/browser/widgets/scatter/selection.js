// What the visitor has picked: a point or a place, a group of points, a path. Each is a message to the host.
import { fromStage, isShown, maskOf, toOwn, toStage } from './places.js';
import { drawSoon } from './view.js';

function send(map, event, what) {
  map.emit(event, { model: map.data.model, collection: map.data.collection, layout: map.data.layout.key, ...what });
}

export function pick(map, x, y) {
  if (map.travelling) return;
  if (map.hover >= 0) send(map, 'pick', { index: map.hover });
  else send(map, 'pick', { place: toOwn(map, ...fromStage(map, x, y)) });
}

export function sendLasso(map, line) {
  const inside = [];
  for (let p = 0; p < map.points.n; p++) {
    if (!isShown(map, p)) continue;
    if (within(line, toStage(map, map.unit[2 * p], map.unit[2 * p + 1]))) inside.push(p);
  }
  choose(map, inside);
}

// Returns whether a point lies in a polygon: a ray from it crosses the boundary an odd number of times.
export function within(polygon, [x, y]) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < xi + ((xj - xi) * (y - yi)) / (yj - yi)) inside = !inside;
  }
  return inside;
}

export function choose(map, indices) {
  map.chosen = indices.length ? maskOf(map, indices) : null;
  map.density = null; // it depends on the highlighted points
  drawSoon(map, true);
  send(map, 'lasso', { indices });
}

export function showChosen(map) {
  const { chosen } = map.data;
  map.chosen = chosen.length ? maskOf(map, chosen) : null;
  map.density = null;
}

// Adds a stop to a path, by a click or Enter; the button ends the path.
export function addStop(map, place) {
  map.stops.push(place);
  map.walk.hidden = map.stops.length < 2;
  drawSoon(map, false);
}

export function forgetPath(map) {
  map.line = [];
  map.stops = [];
  map.walk.hidden = true;
}

// line: positions in the unit square
export function sendPath(map, line) {
  const every = Math.ceil(line.length / 200);
  const kept = line.filter((_, i) => i % every === 0 || i === line.length - 1);
  forgetPath(map);
  send(map, 'path', { places: kept.map(([u, v]) => toOwn(map, u, v)) });
}
