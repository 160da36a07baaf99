// Draws the map: dots are written into pixels, since 70,000 arcs would take too long; then density, thumbnails
// and the names of classes.
import { mixed, packed, parsed, themeOf } from './colours.js';
import { drawContours, drawNames } from './density.js';
import { isLit, isShown, scaleOf, toStage } from './places.js';

// Dots become thumbnails when at most a quarter of the points is visible; that number lies within these bounds.
const MIN_THUMBS = 250, MAX_THUMBS = 700;

export function drawMap(map) {
  const { points, ratio } = map;
  const context = map.dots.getContext('2d');
  const { width, height } = map.dots;
  map.buffer ??= context.createImageData(width, height);
  const theme = themeOf(map), ground = parsed(theme.ground);
  const pixels = new Uint32Array(map.buffer.data.buffer);
  pixels.fill(packed(ground));
  const radius = ratio * Math.max(1.1, Math.min(5, 2.7 * Math.sqrt(Math.min(3, 5000 / points.n)) * map.view.k ** 0.3));
  const stamp = stampOf(radius);
  const dimmed = Boolean(map.chosen);
  const grey = mixed(ground, parsed(theme.text), 0.13);
  let inSight = 0;
  const scale = scaleOf(map) * ratio, { shown } = map;
  const left = width / 2 - map.view.x * scale, top = height / 2 + map.view.y * scale;
  for (const litOnes of dimmed ? [false, true] : [true]) { // highlighted points on top
    for (let p = 0; p < points.n; p++) {
      if (!isShown(map, p) || (dimmed && isLit(map, p) !== litOnes)) continue;
      const x = Math.round(left + shown[2 * p] * scale), y = Math.round(top - shown[2 * p + 1] * scale);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      if (litOnes) {
        inSight++;
        stampAt(pixels, width, height, x, y, stamp, map.colours[3 * p], map.colours[3 * p + 1], map.colours[3 * p + 2]);
      } else stampAt(pixels, width, height, x, y, stamp, grey[0], grey[1], grey[2]);
    }
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.putImageData(map.buffer, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const still = !map.travelling;
  if (still && map.contours.checked) drawContours(map, context);
  map.thumbs = [];
  const sheet = map.mailbox.sheets.get(points.sheet_name);
  if (still && sheet?.bitmap && (map.images.checked || inSight <= Math.min(MAX_THUMBS, Math.max(MIN_THUMBS, points.n / 4)))) {
    drawThumbs(map, context, sheet, inSight);
  }
  if (still && map.data.colouring.kind === 'class') drawNames(map, context);
  map.dots.dataset.drawn = points.collection; // read by the browser tests
}

// Returns the share of each pixel that a disc covers: [dx, dy, share] for every pixel it touches.
export function stampOf(radius) {
  const stamp = [];
  const reach = Math.ceil(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const share = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy)));
      if (share > 0) stamp.push(dx, dy, 0.9 * share);
    }
  }
  return Float32Array.from(stamp);
}

export function stampAt(pixels, width, height, x, y, stamp, r, g, b) {
  for (let i = 0; i < stamp.length; i += 3) {
    const px = x + stamp[i], py = y + stamp[i + 1];
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const at = py * width + px, share = stamp[i + 2], old = pixels[at];
    const r0 = old & 255, g0 = (old >> 8) & 255, b0 = (old >> 16) & 255;
    pixels[at] = 0xff000000 | ((b0 + (b - b0) * share) << 16) | ((g0 + (g - g0) * share) << 8) | (r0 + (r - r0) * share);
  }
}

function drawThumbs(map, context, sheet, inSight) {
  const { points, view, width, height } = map;
  const size = Math.round(map.images.checked
    ? Math.max(15, Math.min(64, 17 * view.k ** 0.6))
    : Math.max(20, Math.min(64, 0.55 * Math.sqrt((width * height) / Math.max(1, inSight)))));
  const taken = new Map(); // by cells of thumbnail size, so that thumbnails hardly overlap
  context.imageSmoothingEnabled = size < sheet.width;
  for (let p = 0; p < points.n; p++) {
    const [x, y] = toStage(map, map.shown[2 * p], map.shown[2 * p + 1]);
    if (x < -size || y < -size || x > width + size || y > height + size || !isLit(map, p)) continue;
    const column = Math.floor(x / size), row = Math.floor(y / size);
    if (crowded(taken, column, row, x, y, 0.85 * size)) continue;
    taken.set(column * 65536 + row, [x, y]);
    const left = Math.round(x - size / 2), top = Math.round(y - size / 2);
    context.fillStyle = `rgb(${map.colours[3 * p]} ${map.colours[3 * p + 1]} ${map.colours[3 * p + 2]})`;
    context.fillRect(left - 2, top - 2, size + 4, size + 4);
    drawFromSheet(context, sheet, p, left, top, size);
    map.thumbs.push({ p, x, y });
  }
  map.thumbSize = size;
}

export function crowded(taken, column, row, x, y, reach) {
  for (let c = column - 1; c <= column + 1; c++) {
    for (let r = row - 1; r <= row + 1; r++) {
      const other = taken.get(c * 65536 + r);
      if (other && Math.abs(other[0] - x) < reach && Math.abs(other[1] - y) < reach) return true;
    }
  }
  return false;
}

export function drawFromSheet(context, sheet, p, left, top, size) {
  const { width, height, across } = sheet;
  context.drawImage(
    sheet.bitmap, (p % across) * width, Math.floor(p / across) * height, width, height, left, top, size, size
  );
}
