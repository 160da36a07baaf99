// The latent plane: codes of validation images as points, over images decoded from a grid of codes.
const GROUND = '#101317'; // behind the decoded images, on a light page too: the points' colours need one ground
const DIM = 0.5; // share of the decoded images' light
const MAX_NAMES = 20; // classes whose names fit on the plane

// scene: { codes (2 P), extent [left, right, bottom, top], pictures: [{ image, extent, alpha }], labels (P), colours,
// names }. size: of the square in px.
export function drawPlane(context, size, scene) {
  const place = placing(size, scene.extent);
  context.fillStyle = GROUND;
  context.fillRect(0, 0, size, size);
  for (const picture of scene.pictures) drawPicture(context, place, picture);
  context.globalAlpha = 1;
  context.strokeStyle = GROUND;
  drawPoints(context, size, place, scene);
  if (scene.names.length > 1 && scene.names.length <= MAX_NAMES) drawNames(context, size, place, scene);
}

// Returns the function from a code to its place on a square.
export function placing(size, [left, right, bottom, top]) {
  return (x, y) => [((x - left) / (right - left)) * size, ((top - y) / (top - bottom)) * size];
}

function drawPicture(context, place, { image, extent: [left, right, bottom, top], alpha }) {
  const [x, y] = place(left, top), [x2, y2] = place(right, bottom);
  context.globalAlpha = DIM * alpha;
  context.imageSmoothingEnabled = x2 - x < image.width;
  context.drawImage(image, x, y, x2 - x, y2 - y);
}

function drawPoints(context, size, place, { codes, labels, colours }) {
  const radius = Math.max(2, size / 170);
  context.lineWidth = radius / 3;
  for (let i = 0; i < codes.length / 2; i++) {
    context.fillStyle = colours[labels[i]];
    context.beginPath();
    context.arc(...place(codes[2 * i], codes[2 * i + 1]), radius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

// Writes each class's name at the median of its codes, because colours alone carry no meaning.
function drawNames(context, size, place, { codes, labels, names }) {
  context.font = `700 ${Math.round(Math.max(12, size / 28))}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = Math.max(3, size / 140);
  context.fillStyle = '#fff';
  for (const [label, code] of classMedians(codes, labels)) {
    context.strokeText(names[label], ...place(...code));
    context.fillText(names[label], ...place(...code));
  }
}

// Returns {class: [x, y]}, the median of each coordinate.
export function classMedians(codes, labels) {
  const members = new Map();
  labels.forEach((label, i) => members.has(label) ? members.get(label).push(i) : members.set(label, [i]));
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return new Map([...members].map(([label, rows]) => [label, [0, 1].map((d) => median(rows.map((i) => codes[2 * i + d])))]));
}
