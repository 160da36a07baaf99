// The crop frame over the photo: moved and resized by touch, mouse and keyboard.
import { boundsOf, moved, resized, scaled, sidesOf, turned } from './frame.js';

const MARGIN = 12; // px around the picture, so that a corner at its edge can be taken
const REACH = 26; // px from a corner to the pointer that takes it
const KEY_STEP = 0.02; // of the picture's longer side
const KEY_SCALE = 1.05;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CORNERS = [[0, 0], [1, 0], [0, 1], [1, 1]];
const SHADE = 'rgb(0 0 0 / 55%)', GROUND = '#444'; // over what is cut off; behind the corners of a turned picture

// canvas: an element with `touch-action: none`. change(frame) follows the hand, release(frame) ends a change.
export function createFrameView(canvas, { change, release }, signal) {
  const view = { canvas, change, release, picture: null, image: null, frame: null, aspect: null, grip: null, isChanged: false };
  const listen = (name, handle) => canvas.addEventListener(name, (event) => handle(view, event), { signal });
  listen('pointerdown', down);
  listen('pointermove', move);
  for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) listen(name, up);
  listen('keydown', keyDown);
  for (const name of ['keyup', 'blur']) listen(name, released);
  const observer = new ResizeObserver(() => paint(view));
  observer.observe(canvas);
  signal.addEventListener('abort', () => observer.disconnect());
  return {
    // aspect: width / height of the frame, or null for any
    show(picture, frame, aspect) {
      if (picture !== view.picture) view.image = imageOf(picture);
      Object.assign(view, { picture, frame, aspect });
      paint(view);
    },
  };
}

function imageOf({ width, height, data }) {
  const image = Object.assign(document.createElement('canvas'), { width, height });
  image.getContext('2d').putImageData(new ImageData(data, width, height), 0, 0);
  return image;
}

function to(view, frame) {
  view.frame = frame;
  view.isChanged = true;
  paint(view);
  view.change(frame);
}

function released(view) {
  if (!view.isChanged) return;
  view.isChanged = false;
  view.release(view.frame);
}

// ---- one pointer

function down(view, event) {
  if (!view.picture || event.button !== 0 || view.grip) return;
  const place = placeOf(view, event), sides = sidesOf(view.picture, view.frame);
  const corner = CORNERS.find(([i, j]) => Math.hypot(place[0] - sides[2 * i], place[1] - sides[1 + 2 * j]) * scaleOf(view) < REACH);
  const isInside = place.every((value, i) => value > sides[i] && value < sides[i + 2]);
  if (!corner && !isInside) return;
  if (event.isTrusted) view.canvas.setPointerCapture(event.pointerId);
  view.grip = { id: event.pointerId, corner, place, frame: view.frame };
}

function move(view, event) {
  const { grip, picture } = view;
  if (event.pointerId !== grip?.id) return;
  const [dx, dy] = placeOf(view, event).map((value, i) => value - grip.place[i]);
  to(view, grip.corner ? resized(picture, grip.frame, grip.corner, dx, dy, view.aspect) : moved(picture, grip.frame, dx, dy));
}

function up(view, event) {
  if (event.pointerId !== view.grip?.id) return;
  view.grip = null;
  released(view);
}

// In pixels of the picture, from the middle of the turned picture.
function placeOf(view, event) {
  const box = view.canvas.getBoundingClientRect(), scale = scaleOf(view);
  return [(event.clientX - box.left - box.width / 2) / scale, (event.clientY - box.top - box.height / 2) / scale];
}

// CSS pixels per pixel of the picture: the turned picture fits onto the canvas.
function scaleOf({ canvas, picture, frame }) {
  const [across, down] = boundsOf(picture, frame.angle);
  return Math.min((canvas.clientWidth - 2 * MARGIN) / across, (canvas.clientHeight - 2 * MARGIN) / down);
}

// ---- keyboard

function keyDown(view, event) {
  const { picture, frame } = view;
  if (!picture || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = keyed(picture, frame, event.key);
  if (!next) return;
  event.preventDefault();
  to(view, next);
}

function keyed(picture, frame, key) {
  const step = KEY_STEP * Math.max(picture.width, picture.height), arrow = ARROWS[key];
  if (arrow) return moved(picture, frame, step * arrow[0], step * arrow[1]);
  if (key === '+' || key === '=') return scaled(picture, frame, KEY_SCALE);
  if (key === '-') return scaled(picture, frame, 1 / KEY_SCALE);
  if (key === '[' || key === ']') return turned(picture, frame, key === ']' ? 1 : -1);
  return null;
}

// ---- painting

function paint(view) {
  const { canvas, picture, image, frame } = view;
  if (!picture || !canvas.clientWidth) return;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * ratio));
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d'), scale = scaleOf(view) * ratio;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(scale, 0, 0, scale, width / 2, height / 2);
  const [across, down] = boundsOf(picture, frame.angle);
  context.fillStyle = GROUND;
  context.fillRect(-across / 2, -down / 2, across, down);
  context.rotate((frame.angle * Math.PI) / 180);
  context.drawImage(image, -picture.width / 2, -picture.height / 2);
  context.setTransform(scale, 0, 0, scale, width / 2, height / 2);
  paintFrame(context, sidesOf(picture, frame), [across, down], ratio / scale);
}

// px: the length of a CSS pixel in the units of the context.
function paintFrame(context, [left, top, right, bottom], [across, down], px) {
  context.fillStyle = SHADE;
  context.beginPath();
  context.rect(-across / 2, -down / 2, across, down);
  context.rect(left, top, right - left, bottom - top);
  context.fill('evenodd');
  for (const [colour, width] of [['#000', 4], ['#fff', 2]]) {
    [context.strokeStyle, context.lineWidth] = [colour, width * px];
    context.strokeRect(left, top, right - left, bottom - top);
  }
  for (const [i, j] of CORNERS) {
    context.beginPath();
    context.arc(i ? right : left, j ? bottom : top, 8 * px, 0, 2 * Math.PI);
    context.fillStyle = '#fff';
    context.fill();
    [context.strokeStyle, context.lineWidth] = ['#000', 1.5 * px];
    context.stroke();
  }
}
