// Drawings as strokes, and their pixels. No canvas is read back: browsers that protect against fingerprinting return
// noise.

const PAPER = 255, INK = 0;

// strokes: [{ width, points: [[x, y], ...] }] in fractions of a square, drawn with a round pen; one point is a dot.
// Returns { width, height, data }: size x size pixels, RGBA, dark ink on white paper.
export function rasterise(strokes, size) {
  const ink = new Float32Array(size * size); // the share of each pixel that is covered
  for (const { width, points } of strokes) {
    const places = points.map(([x, y]) => [x * size, y * size]);
    const radius = (width / 2) * size;
    if (places.length === 1) coverSegment(ink, size, radius, places[0], places[0]);
    for (let i = 1; i < places.length; i++) coverSegment(ink, size, radius, places[i - 1], places[i]);
  }
  const data = new Uint8ClampedArray(4 * size * size);
  ink.forEach((share, i) => data.fill(PAPER + share * (INK - PAPER), 4 * i, 4 * i + 3));
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return { width: size, height: size, data };
}

// The edge is one pixel wide: a pixel is covered by how far its middle lies within it. A line thinner than a pixel
// covers no more than its width.
function coverSegment(ink, size, radius, start, end) {
  const most = Math.min(1, 2 * radius), reach = radius + 0.5;
  const [left, right] = range(start[0], end[0], reach, size), [top, bottom] = range(start[1], end[1], reach, size);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const share = Math.min(most, reach - distance(x + 0.5, y + 0.5, start, end)), at = y * size + x;
      if (share > ink[at]) ink[at] = share;
    }
  }
}

const range = (a, b, reach, size) => [Math.max(0, Math.floor(Math.min(a, b) - reach)), Math.min(size, Math.ceil(Math.max(a, b) + reach))];

function distance(x, y, [x0, y0], [x1, y1]) {
  const dx = x1 - x0, dy = y1 - y0, squared = dx * dx + dy * dy;
  const along = squared && Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / squared));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
