// Draws the map: dots are written into pixels, since 70,000 arcs would take too long; then density, thumbnails
// and the names of classes.
// Dots become thumbnails when at most a quarter of the points is visible; that number lies within these bounds.
const MIN_THUMBS = 250, MAX_THUMBS = 700;
const MIN_FONT_SIZE = 14; // px, of class names

function drawMap(map) {
  const { points, ratio } = map;
  const context = map.dots.getContext('2d');
  const { width, height } = map.dots;
  map.buffer ??= context.createImageData(width, height);
  const ground = cssColour(map, '--st-background-color');
  const pixels = new Uint32Array(map.buffer.data.buffer);
  pixels.fill(packed(ground));
  const radius = ratio * Math.max(1.1, Math.min(5, 2.7 * Math.sqrt(Math.min(3, 5000 / points.n)) * map.view.k ** 0.3));
  const stamp = stampOf(radius);
  const dimmed = map.lit.size || map.chosen;
  const grey = mixed(ground, cssColour(map, '--st-text-color'), 0.13);
  let inSight = 0;
  const scale = scaleOf(map) * ratio, { shown } = map;
  const left = width / 2 - map.view.x * scale, top = height / 2 + map.view.y * scale;
  for (const litOnes of dimmed ? [false, true] : [true]) { // highlighted points on top
    for (let p = 0; p < points.n; p++) {
      if (dimmed && isLit(map, p) !== litOnes) continue;
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
  const sheet = mailbox().sheets.get(points.sheet_name);
  if (still && sheet?.bitmap && (map.images.checked || inSight <= Math.min(MAX_THUMBS, Math.max(MIN_THUMBS, points.n / 4)))) {
    drawThumbs(map, context, sheet, inSight);
  }
  if (still && map.data.colouring.kind === 'class') drawNames(map, context);
  map.dots.dataset.drawn = points.collection; // read by the browser tests
}

// Returns the share of each pixel that a disc covers: [dx, dy, share] for every pixel it touches.
function stampOf(radius) {
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

function stampAt(pixels, width, height, x, y, stamp, r, g, b) {
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

function crowded(taken, column, row, x, y, reach) {
  for (let c = column - 1; c <= column + 1; c++) {
    for (let r = row - 1; r <= row + 1; r++) {
      const other = taken.get(c * 65536 + r);
      if (other && Math.abs(other[0] - x) < reach && Math.abs(other[1] - y) < reach) return true;
    }
  }
  return false;
}

function drawFromSheet(context, sheet, p, left, top, size) {
  const { width, height, across } = sheet;
  context.drawImage(
    sheet.bitmap, (p % across) * width, Math.floor(p / across) * height, width, height, left, top, size, size
  );
}

// ---- colours

// a colour for each point (3 N), and what the colours mean underneath the map
function colour(map) {
  const { points, data } = map, { colouring } = data;
  const colours = new Uint8Array(3 * points.n);
  let of;
  if (colouring.kind === 'class') {
    const table = data.colours.map(parsed);
    of = (p) => table[points.labels[p]];
  } else {
    const { low, high } = colouring, table = colouring.ramp.map(parsed), last = table.length - 1;
    const value = colouring.dim === null ? (p) => points.recon[p] : (p) => points.codes[p * points.dims + colouring.dim];
    of = (p) => table[Math.round(last * Math.max(0, Math.min(1, (value(p) - low) / (high - low || 1))))];
  }
  for (let p = 0; p < points.n; p++) [colours[3 * p], colours[3 * p + 1], colours[3 * p + 2]] = of(p);
  map.colours = colours;
  buildLegend(map);
}

function buildLegend(map) {
  const { data, legend } = map, { colouring } = data;
  const made = (tag, name, text = '') => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const parts = [];
  if (colouring.kind === 'value') {
    map.lit.clear(); // there is no button to put them out
    const ramp = made('span', 'ramp');
    ramp.style.background = `linear-gradient(to right, ${colouring.ramp.join(',')})`;
    parts.push(`${colouring.title}: ${colouring.low.toPrecision(3)} `, ramp, ` ${colouring.high.toPrecision(3)}`);
  } else if (data.classes.length > 1) {
    data.classes.forEach((name, label) => {
      if (!map.counts[label]) return;
      const button = made('button', '', '');
      const swatch = made('span', 'swatch');
      swatch.style.background = data.colours[label];
      button.type = 'button';
      button.title = 'light this class, dim the others';
      button.append(swatch, name, made('span', 'count', map.counts[label]));
      button.setAttribute('aria-pressed', String(map.lit.has(label)));
      button.onclick = () => {
        if (!map.lit.delete(label)) map.lit.add(label);
        button.setAttribute('aria-pressed', String(map.lit.has(label)));
        showLit(map);
      };
      parts.push(button);
    });
    const choose_ = made('button', 'choose', 'Choose the lit ones');
    choose_.type = 'button';
    choose_.onclick = () => choose(map, [...map.points.labels.keys()].filter((p) => map.lit.has(map.points.labels[p])));
    parts.push(choose_);
  }
  legend.replaceChildren(...parts);
  showLit(map);
}

function showLit(map) {
  map.legend.classList.toggle('some', map.lit.size > 0);
  const button = map.legend.querySelector('.choose');
  if (button) button.style.display = map.lit.size ? '' : 'none';
  map.hover = -1;
  map.density = null; // it depends on the highlighted points
  drawSoon(map, true);
}

function parsed(colour) {
  const context = (parsed.context ??= new OffscreenCanvas(1, 1).getContext('2d'));
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}

function cssColour(map, name) {
  const text = getComputedStyle(map.stage).getPropertyValue(name).trim();
  map.parsed ??= {};
  return (map.parsed[text] ??= parsed(text || '#888'));
}

const packed = ([r, g, b]) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
const mixed = (a, b, share) => a.map((v, i) => Math.round(v + (b[i] - v) * share));
