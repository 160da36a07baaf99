// Pointer and keys.
import { cardText, hover, leave, showCard, touchPoint } from './hover.js';
import { fromStage, isLit, scaleOf, toStage } from './places.js';
import { addStop, choose, forgetPath, pick, sendLasso, sendPath } from './selection.js';
import { drawSoon, pinch, zoom } from './view.js';

const MAX_CLICK_MOVE = 5; // px between press and release of a click
const HINT_TIME = 2000; // ms
const WHEEL_HINT = 'Click the map to zoom with the wheel. Escape releases the map.';
const TOUCH_HINT = 'Use two fingers to move the map. Tap Hold map to see the image under one finger.';

// Holds the map or releases it. While it is held, the wheel zooms it and one finger explores it instead of scrolling the
// page.
export function setHeld(map, held) {
  map.held = held;
  map.stage.classList.toggle('held', held);
  map.root.querySelector('.hold').setAttribute('aria-pressed', String(held));
}

function showHint(map, text) {
  map.hint.textContent = text;
  map.hint.hidden = false;
  clearTimeout(map.hintTimer);
  map.hintTimer = setTimeout(() => (map.hint.hidden = true), HINT_TIME);
}

export function setTool(map, tool) {
  map.tool = tool;
  forgetPath(map);
  map.root.querySelectorAll('[data-tool]').forEach((button) => {
    button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  });
  map.over.classList.toggle('drawing', tool !== 'move');
  if (tool !== 'move') setHeld(map, true); // one finger draws
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
    map.gesture = gestureOf(map, event);
    map.line = isLine(map.gesture) ? [at(event)] : [];
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
    } else if (map.gesture === 'explore' && map.moved) hover(map, ...here);
    else if (isLine(map.gesture)) {
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
      if (event.pointerType !== 'touch') setHeld(map, true);
    } else if (gesture === 'explore') pick(map, ...at(event));
    else if (gesture === 'lasso') sendLasso(map, line);
    else if (gesture === 'path') sendPath(map, line.map((place) => fromStage(map, ...place)));
  };
  over.onpointercancel = (event) => {
    if (map.gesture === 'tap') showHint(map, TOUCH_HINT); // the browser scrolls the page
    map.pointers.delete(event.pointerId);
    map.gesture = null;
  };
  over.onpointerleave = (event) => event.pointerType === 'mouse' && leave(map); // after a touch the card stays
  map.stage.ondragstart = (event) => event.preventDefault(); // dragging a selection of the page's text would cancel the pointer
  over.addEventListener('wheel', (event) => {
    if (!map.held && !event.ctrlKey) return showHint(map, WHEEL_HINT); // a trackpad's pinch has ctrlKey
    event.preventDefault();
    zoom(map, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), ...at(event));
    leave(map);
  }, { passive: false });
}

// Returns what a press begins: "move", "lasso" and "path" by the tool; for one finger on the map "explore", which shows
// what it decodes to, or "tap" where the page scrolls.
function gestureOf(map, { pointerType, shiftKey }) {
  if (shiftKey) return 'lasso';
  if (pointerType !== 'touch' || map.tool !== 'move') return map.tool;
  return map.held ? 'explore' : 'tap';
}

const isLine = (gesture) => gesture === 'lasso' || gesture === 'path';

// Leaves one finger to the browser, which scrolls the page, unless the map is held. Two fingers move and zoom the map.
export function setUpTouch(map) {
  for (const name of ['touchstart', 'touchmove']) {
    map.over.addEventListener(name, (event) => {
      if ((map.held || event.touches.length > 1) && event.cancelable) event.preventDefault();
    }, { passive: false });
  }
  document.addEventListener('pointerdown', (event) => {
    if (!event.composedPath().includes(map.root)) setHeld(map, false);
  }, { signal: map.signal });
}

export function setUpKeys(map) {
  map.root.addEventListener('keydown', (event) => event.key === 'Escape' && setHeld(map, false), { signal: map.signal });
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
