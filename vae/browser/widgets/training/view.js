// The plane in motion: points go from one snapshot's codes to the next one's.
import { between } from './film.js';
import { drawPlane } from './plane.js';

const TRAVEL = 260; // ms from one snapshot to the next, about the time between two updates

// Moves the points to a snapshot, and blends its decoded images in.
export async function animate(view, frame) {
  const wanted = (view.wanted = {});
  let image;
  try {
    image = await view.pictures.load(frame);
  } catch {
    return; // another film has begun, or the file is damaged: the last snapshot stays
  }
  if (view.wanted !== wanted || view.signal.aborted) return;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  view.from = view.to && !still ? { ...view.to, codes: view.shown.codes, extent: view.shown.extent } : null;
  view.to = { frame, image, codes: frame.codes, extent: frame.extent, pictureExtent: frame.extent };
  view.begun = performance.now();
  drawSoon(view);
}

export function resize(view) {
  const { canvas } = view, ratio = Math.min(2, window.devicePixelRatio || 1), size = Math.round(canvas.clientWidth * ratio);
  if (!size || size === canvas.width) return;
  canvas.width = canvas.height = size;
  drawSoon(view);
}

export function drawSoon(view) {
  view.drawing ??= requestAnimationFrame(() => {
    view.drawing = null;
    if (!view.signal.aborted && view.canvas.width) draw(view);
  });
}

function draw(view) {
  const { canvas, from, to, data } = view;
  if (!to) return canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
  const share = from ? Math.min(1, (performance.now() - view.begun) / TRAVEL) : 1, eased = share * (2 - share);
  view.shown = between(from, to, eased);
  const pictures = [{ image: to.image, extent: to.pictureExtent, alpha: 1 }];
  if (share < 1) pictures.unshift({ image: from.image, extent: from.pictureExtent, alpha: 1 });
  if (share < 1) pictures[1].alpha = eased;
  drawPlane(canvas.getContext('2d'), canvas.width, sceneOf(data, view.shown, pictures));
  canvas.setAttribute('aria-label', `latent plane at step ${to.frame.step}: codes of ${data.labels.length} validation images over decoded images`);
  canvas.dataset.step = to.frame.step; // read by the browser tests
  if (share < 1) drawSoon(view);
}

export function sceneOf({ labels, colours, classes }, { codes, extent }, pictures) {
  return { labels, colours, names: classes, codes, extent, pictures };
}
