// The part of the map in sight, drawn at most once a frame.
import { drawMap } from './dots.js';
import { drawOver } from './overlay.js';
import { fromStage, scaleOf } from './places.js';

export const MIN_ZOOM = 0.7;
export const MAX_ZOOM = 80;

export function drawSoon(map, all) {
  map.stale ||= all;
  map.frame ??= requestAnimationFrame(() => {
    map.frame = null;
    if (!map.points || !map.width || map.signal.aborted) return;
    if (map.stale) drawMap(map);
    map.stale = false;
    drawOver(map);
    map.over.dataset.frames = ++map.frames; // read by the browser tests
  });
}

export function resize(map) {
  const box = map.stage.getBoundingClientRect();
  if (!box.width) return;
  map.ratio = Math.min(2, window.devicePixelRatio || 1);
  [map.width, map.height] = [box.width, box.height];
  for (const canvas of [map.dots, map.over]) {
    canvas.width = Math.round(box.width * map.ratio);
    canvas.height = Math.round(box.height * map.ratio);
  }
  map.buffer = null;
  drawSoon(map, true);
}

export function zoom(map, factor, x = map.width / 2, y = map.height / 2) {
  const [u, v] = fromStage(map, x, y);
  map.view.k = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, map.view.k * factor));
  const [u2, v2] = fromStage(map, x, y);
  map.view.x += u - u2;
  map.view.y += v - v2;
  drawSoon(map, true);
}

export function pinch(map, moving, here) {
  const [other] = [...map.pointers].filter(([id]) => id !== moving).map(([, place]) => place);
  const last = map.pointers.get(moving);
  const apart = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]);
  const middle = [(here[0] + other[0]) / 2, (here[1] + other[1]) / 2];
  const scale = scaleOf(map);
  map.view.x -= (here[0] - last[0]) / 2 / scale;
  map.view.y += (here[1] - last[1]) / 2 / scale;
  zoom(map, apart(here) / Math.max(1, apart(last)), ...middle);
}
