// A square to draw on, with a finger, a pen, the mouse or the keyboard. The drawing is kept as strokes; the canvas is
// painted and never read back.

const KEY_STEP = 0.02; // of the square
const PALM_TIME = 1000; // ms after the pen was last near, in which a touch is the palm
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// canvas: an element with `touch-action: none`. width(): the pen's width in fractions of the square. change(strokes) is
// called while a stroke grows, release(strokes) when it is complete or removed. strokes: as runtime/strokes.js takes
// them. The keyboard moves a cursor with the arrow keys; the space bar lowers and lifts the pen.
export function createPen(canvas, { width, change = () => {}, release, strokes = [], paper = '#fff', ink = '#111' }, signal) {
  const pen = { canvas, width, change, release, strokes, paper, ink, past: [], pointer: null, lastPen: -Infinity, cursor: null };
  const listen = (name, handle) => canvas.addEventListener(name, (event) => handle(pen, event), { signal });
  listen('pointerdown', down);
  listen('pointermove', move);
  for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) listen(name, up);
  listen('keydown', keyDown);
  listen('blur', blur);
  const observer = new ResizeObserver(() => paint(pen));
  observer.observe(canvas);
  signal.addEventListener('abort', () => observer.disconnect());
  return {
    get strokes() { return pen.strokes; },
    // Paints with other colours: { paper, ink }.
    recolour(colours) {
      Object.assign(pen, colours);
      paint(pen);
    },
    get canUndo() { return pen.past.length > 0; },
    set(next) { // another drawing, which has no past
      pen.past = [];
      pen.pointer = pen.cursor = null;
      show(pen, next);
    },
    undo() {
      if (!pen.past.length || isDown(pen)) return;
      show(pen, pen.past.pop());
      release(pen.strokes);
    },
    clear() {
      if (isDown(pen)) return;
      pen.past.push(pen.strokes);
      show(pen, []);
      release(pen.strokes);
    },
  };
}

// Returns the colours of a pad on which a drawing looks like the data.
export const coloursOf = ({ light_on_dark: isLight }) => (isLight ? { paper: '#000', ink: '#fff' } : { paper: '#fff', ink: '#111' });

const isDown = ({ pointer, cursor }) => Boolean(pointer || cursor?.isDown);

function show(pen, strokes) {
  pen.strokes = strokes;
  paint(pen);
}

// ---- one pointer

function down(pen, event) {
  if (event.button !== 0 || isPalm(pen, event)) return;
  if (pen.pointer) {
    if (!(event.pointerType === 'pen' && pen.pointer.type === 'touch')) return;
    show(pen, pen.past.pop()); // the palm came before the pen
  }
  // The page may move during a stroke, as when a remark appears above: the stroke keeps the shape of the hand's way.
  pen.pointer = { id: event.pointerId, type: event.pointerType, box: pen.canvas.getBoundingClientRect() };
  if (event.isTrusted) pen.canvas.setPointerCapture(event.pointerId);
  pen.cursor = null;
  begin(pen, placeOf(pen, event));
}

function isPalm(pen, event) {
  if (event.pointerType === 'pen') pen.lastPen = event.timeStamp;
  return event.pointerType === 'touch' && event.timeStamp - pen.lastPen < PALM_TIME;
}

function move(pen, event) {
  if (event.pointerType === 'pen') pen.lastPen = event.timeStamp;
  if (event.pointerId !== pen.pointer?.id) return;
  const events = event.getCoalescedEvents?.() ?? [];
  extend(pen, (events.length ? events : [event]).map((one) => placeOf(pen, one)));
}

function up(pen, event) {
  if (event.pointerId !== pen.pointer?.id) return;
  pen.pointer = null;
  pen.release(pen.strokes);
}

function placeOf({ pointer: { box } }, event) {
  return [rounded((event.clientX - box.left) / box.width), rounded((event.clientY - box.top) / box.height)];
}

const rounded = (value) => Math.round(1e4 * value) / 1e4;

// ---- strokes

function begin(pen, place) {
  pen.past.push(pen.strokes);
  show(pen, [...pen.strokes, { width: pen.width(), points: [place] }]);
  pen.change(pen.strokes);
}

function extend(pen, places) {
  const last = pen.strokes.at(-1);
  show(pen, [...pen.strokes.slice(0, -1), { ...last, points: [...last.points, ...places] }]);
  pen.change(pen.strokes);
}

// ---- keyboard

function keyDown(pen, event) {
  const step = ARROWS[event.key];
  if (pen.pointer || event.ctrlKey || event.metaKey || event.altKey || !(step || event.key === ' ')) return;
  event.preventDefault();
  pen.cursor ??= { place: [0.5, 0.5], isDown: false };
  if (step) {
    pen.cursor.place = pen.cursor.place.map((value, i) => rounded(Math.min(1, Math.max(0, value + KEY_STEP * step[i]))));
    if (pen.cursor.isDown) extend(pen, [pen.cursor.place]);
  } else if (!event.repeat) {
    pen.cursor.isDown = !pen.cursor.isDown;
    if (pen.cursor.isDown) begin(pen, pen.cursor.place);
    else pen.release(pen.strokes);
  }
  paint(pen);
}

function blur(pen) {
  if (pen.cursor?.isDown) pen.release(pen.strokes);
  pen.cursor = null;
  paint(pen);
}

// ---- painting

function paint({ canvas, strokes, paper, ink, cursor, width }) {
  const size = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
  if (!size) return; // not in view
  if (canvas.width !== size || canvas.height !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  context.fillStyle = paper;
  context.fillRect(0, 0, size, size);
  context.fillStyle = context.strokeStyle = ink;
  context.lineCap = context.lineJoin = 'round';
  for (const stroke of strokes) paintStroke(context, size, stroke);
  if (!cursor) return;
  context.lineWidth = Math.max(1, size / 150);
  context.globalCompositeOperation = 'difference'; // in sight on paper and ink
  context.strokeStyle = '#fff';
  context.beginPath();
  context.arc(...cursor.place.map((value) => value * size), Math.max(4, (width() / 2) * size) + 2, 0, 2 * Math.PI);
  context.stroke();
  context.globalCompositeOperation = 'source-over';
}

function paintStroke(context, size, { width, points }) {
  context.lineWidth = width * size;
  context.beginPath();
  if (points.length === 1) {
    context.arc(points[0][0] * size, points[0][1] * size, (width / 2) * size, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  points.forEach(([x, y]) => context.lineTo(x * size, y * size));
  context.stroke();
}
