// The point under the pointer: a ring at once, a card after a pause, and a decoded image of any position.
import { paintPicture, pictureOf } from '../../runtime/pixels.js';
import { drawFromSheet } from './dots.js';
import { codeOf, inverseTransform } from './layout.js';
import { fromStage, isLit, scaleOf, toOwn, toStage } from './places.js';
import { drawSoon } from './view.js';

const PICK_RADIUS = 14; // px
const DWELL = 125; // ms of rest until the card is shown

// Returns the index of the point at a position of the stage, -1 for none.
export function pointAt(map, x, y) {
  let best = -1, least = PICK_RADIUS * PICK_RADIUS;
  const half = map.thumbSize / 2;
  for (const thumb of map.thumbs) { // a thumbnail belongs to its point
    if (Math.abs(thumb.x - x) <= half && Math.abs(thumb.y - y) <= half) best = thumb.p;
  }
  if (best >= 0) return best;
  const scale = scaleOf(map), { unit } = map;
  const left = map.width / 2 - map.view.x * scale - x, top = map.height / 2 + map.view.y * scale - y;
  for (let p = 0; p < map.points.n; p++) {
    const dx = left + unit[2 * p] * scale, dy = top - unit[2 * p + 1] * scale;
    const away = dx * dx + dy * dy;
    if (away < least && isLit(map, p)) [best, least] = [p, away];
  }
  return best;
}

export function hover(map, x, y) {
  if (!map.points || map.travelling) return;
  const p = pointAt(map, x, y);
  touchPoint(map, p, x, y);
}

export function touchPoint(map, p, x, y) {
  if (p !== map.hover) {
    map.hover = p;
    map.card.hidden = true;
    clearTimeout(map.dwell);
    if (p >= 0) map.dwell = setTimeout(showCard, DWELL, map);
  }
  showHere(map, [x, y]);
  drawSoon(map, false);
}

export function leave(map) {
  map.hover = -1;
  map.card.hidden = true;
  clearTimeout(map.dwell);
  showHere(map, null);
  drawSoon(map, false);
}

export function cardText(map, p) {
  const { points, data } = map;
  const kind = data.classes.length > 1 ? `${data.classes[points.labels[p]]}\n` : '';
  const name = points.names ? points.names[p] : `test image ${points.rows[p]}`;
  const recon = points.recon[p];
  return `${kind}${name}\nreconstruction error ${Number.isFinite(recon) ? `${recon.toFixed(0)} nats` : 'not a finite number'}`;
}

export function showCard(map) {
  const p = map.hover;
  if (p < 0) return;
  const sheet = map.mailbox.sheets.get(map.points.sheet_name);
  const canvas = map.card.querySelector('canvas');
  canvas.style.display = sheet?.bitmap ? '' : 'none';
  if (sheet?.bitmap) {
    [canvas.width, canvas.height] = [sheet.width, sheet.height];
    canvas.classList.toggle('crisp', sheet.height < 64);
    drawFromSheet(canvas.getContext('2d'), sheet, p, 0, 0, sheet.width);
  }
  map.card.querySelector('.words').textContent = cardText(map, p);
  map.card.dataset.index = p; // read by the browser tests
  map.card.hidden = false;
  const [x, y] = toStage(map, map.unit[2 * p], map.unit[2 * p + 1]);
  const { offsetWidth: w, offsetHeight: h } = map.card;
  const left = x + 18 + w < map.width ? x + 18 : x - 18 - w;
  map.card.style.transform = `translate(${Math.max(4, Math.min(map.width - w - 4, left))}px, ${Math.max(4, Math.min(map.height - h - 4, y - h / 2))}px)`;
}

// ---- the image of a position

// Returns the code of a position of the stage and the class for decoding it.
export function codeAt(map, x, y) {
  const { points, data } = map, { layout } = data;
  if (map.hover >= 0) return { z: codeOf(points, map.hover), y: points.ys[map.hover], of: 'decoded from its code' };
  return inverseTransform(points, layout, map.own, toOwn(map, ...fromStage(map, x, y)), data.y);
}

// Decodes the position under the pointer; without a position, the current z.
export function showHere(map, place) {
  if (!map.points || !map.fit) return;
  const { data } = map;
  const what = place ? codeAt(map, ...place) : { z: data.z, y: data.y, of: 'current z' };
  if (!data.classes_matter) what.y = 0;
  const entry = map.mailbox.models.get(data.weights);
  if (entry?.decoder) paintHere(map, entry.decoder.decode(what.z, what.y), 255, what);
  else if (entry) map.questions.ask(() => ({ zs: [what.z], y: what.y }), (answer) => paintHere(map, pictureOf(answer, 0), 1, what));
}

function paintHere(map, values, scale, what) {
  const finite = paintPicture(map.hereCanvas, values, scale, map.data);
  map.hereLine.textContent = finite ? what.of : map.data.no_number;
  map.hereCanvas.dataset.z = what.z.map((v) => v.toFixed(4)).join(','); // read by the browser tests
}
