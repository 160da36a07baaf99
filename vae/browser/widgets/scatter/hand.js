// Pointer and keys.
import { cardText, hover, leave, showCard, touchPoint } from './hover.js';
import { fromStage, isLit, scaleOf, toStage } from './places.js';
import { addStop, choose, forgetPath, pick, sendLasso, sendPath } from './selection.js';
import { drawSoon, pinch, zoom } from './view.js';

const MAX_CLICK_MOVE = 5; // px between press and release of a click

export function setTool(map, tool) {
  map.tool = tool;
  forgetPath(map);
  map.root.querySelectorAll('[data-tool]').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  });
  map.over.classList.toggle('drawing', tool !== 'move');
  drawSoon(map, false);
}

export function setUpPointer(map) {
  const { over } = map;
  const at = (event) => {
    const box = over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  over.onpointerdown = (event) => {
    if (event.button) return; // the right button opens the context menu
    over.setPointerCapture(event.pointerId);
    map.pointers.set(event.pointerId, at(event));
    map.down = at(event);
    map.moved = false;
    if (map.pointers.size > 1) {
      map.moved = true; // two fingers are neither a click nor a lasso
      map.gesture = null;
      return;
    }
    map.gesture = event.shiftKey ? 'lasso' : map.tool;
    if (map.gesture !== 'move') map.line = [at(event)];
  };
  over.onpointermove = (event) => {
    const here = at(event);
    const last = map.pointers.get(event.pointerId);
    if (!last) {
      if (event.pointerType === 'mouse') hover(map, ...here);
      return;
    }
    if (Math.hypot(here[0] - map.down[0], here[1] - map.down[1]) > MAX_CLICK_MOVE) map.moved = true;
    if (map.pointers.size === 2) pinch(map, event.pointerId, here);
    else if (map.gesture === 'move' && map.moved) {
      const scale = scaleOf(map);
      map.view.x -= (here[0] - last[0]) / scale;
      map.view.y += (here[1] - last[1]) / scale;
      drawSoon(map, true);
    } else if (map.gesture && map.gesture !== 'move') {
      map.line.push(here);
      if (map.gesture === 'path') hover(map, ...here);
      drawSoon(map, false);
    }
    map.pointers.set(event.pointerId, here);
  };
  over.onpointerup = (event) => {
    const { gesture } = map;
    map.pointers.delete(event.pointerId);
    if (map.pointers.size) return;
    map.gesture = null;
    if (!map.points) return;
    const { line } = map;
    map.line = [];
    if (!map.moved && gesture) {
      hover(map, ...at(event));
      if (gesture === 'lasso') choose(map, []);
      else if (gesture === 'path') addStop(map, fromStage(map, ...at(event)));
      else pick(map, ...at(event));
    } else if (gesture === 'lasso') sendLasso(map, line);
    else if (gesture === 'path') sendPath(map, line.map((place) => fromStage(map, ...place)));
  };
  over.onpointercancel = (event) => {
    map.pointers.delete(event.pointerId);
    map.gesture = null;
  };
  over.onpointerleave = (event) => event.pointerType === 'mouse' && leave(map); // after a touch the card stays
  over.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(map, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), ...at(event));
    leave(map);
  }, { passive: false });
}

export function setUpKeys(map) {
  const towards = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  map.over.onkeydown = (event) => {
    if (!map.points || event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = towards[event.key];
    if (direction && event.shiftKey) {
      map.view.x += (60 * direction[0]) / scaleOf(map);
      map.view.y -= (60 * direction[1]) / scaleOf(map);
      drawSoon(map, true);
    } else if (direction) step(map, direction);
    else if (event.key === '+' || event.key === '=') zoom(map, 1.6);
    else if (event.key === '-') zoom(map, 1 / 1.6);
    else if (event.key === '0') map.root.querySelector('.whole').click();
    else if (event.key === 'Enter' && map.hover >= 0) {
      const stop = [map.unit[2 * map.hover], map.unit[2 * map.hover + 1]];
      if (map.tool === 'path') addStop(map, stop);
      else pick(map, ...toStage(map, ...stop));
    } else if (event.key === 'Escape') {
      forgetPath(map);
      leave(map);
      if (map.chosen) choose(map, []);
    } else return;
    event.preventDefault();
  };
  map.over.onblur = () => leave(map);
}

// Moves to the nearest highlighted point in a direction; without a start, to the one nearest to the centre.
function step(map, direction) {
  const from = map.hover >= 0
    ? toStage(map, map.unit[2 * map.hover], map.unit[2 * map.hover + 1])
    : [map.width / 2, map.height / 2];
  let best = -1;
  for (const cone of [0.7, 0.1]) { // straight ahead if possible, otherwise anywhere on that side
    let least = Infinity;
    for (let p = 0; p < map.points.n; p++) {
      if (p === map.hover || !isLit(map, p)) continue;
      const [x, y] = toStage(map, map.unit[2 * p], map.unit[2 * p + 1]);
      const away = Math.hypot(x - from[0], y - from[1]);
      const along = (x - from[0]) * direction[0] + (y - from[1]) * direction[1];
      if (map.hover >= 0 && (along <= cone * away || away < 4)) continue;
      if (away < least) [best, least] = [p, away];
    }
    if (best >= 0) break;
  }
  if (best < 0) return;
  const [x, y] = toStage(map, map.unit[2 * best], map.unit[2 * best + 1]);
  if (x < 0 || y < 0 || x > map.width || y > map.height) {
    [map.view.x, map.view.y] = [map.unit[2 * best], map.unit[2 * best + 1]];
    drawSoon(map, true);
  }
  touchPoint(map, best, ...toStage(map, map.unit[2 * best], map.unit[2 * best + 1]));
  showCard(map);
  map.said.textContent = cardText(map, best);
}
