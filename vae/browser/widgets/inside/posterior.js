// The posterior of an image: over two dimensions an ellipse, above the codes of test images and the prior; otherwise bars.
import { gaussianMarks, markZ, tag } from '../../runtime/plane_marks.js';

export const HALF_AXIS = 3.2; // of the bars, in standard deviations of the prior

// plane: { codes, labels, colours, low, high } of a two-dimensional model, or null. order, names: of the dimensions.
// prior: { mean, stddev }. magnified: whether the plane is shown around the ellipse. Returns a function of a position on
// the screen: the dimensions and values of z there.
export function drawPosterior(svg, { plane, order, names, prior, pass, magnified }) {
  return plane ? drawPlane(svg, plane, prior, pass, magnified) : drawBars(svg, order, names, prior, pass);
}

// Returns the square of the plane to show: { left, top, span }. Magnified, it reaches 4 standard deviations from the
// mean, and further if z does, so that the ellipse of 2 fills half of it.
export function planeWindow({ low, high }, { mu, sigma, z }, magnified) {
  if (!magnified) return { left: low, top: high, span: high - low };
  const reach = Math.max(...sigma.map((value) => 4 * value), ...z.map((value, d) => 1.1 * Math.abs(value - mu[d])), 1e-6);
  return { left: mu[0] - reach, top: mu[1] + reach, span: 2 * reach };
}

function drawPlane(svg, plane, prior, pass, magnified) {
  const { left, top, span } = planeWindow(plane, pass, magnified);
  // both axes have the same scale, so that the ellipse is not distorted
  svg.setAttribute('viewBox', `${left} ${-top} ${span} ${span}`);
  svg.style.aspectRatio = 1;
  const dots = plane.codes.map(([x, y], i) => tag('circle', { cx: x, cy: -y, r: span / 160, fill: plane.colours[plane.labels[i]], opacity: 0.55 }));
  const z = markZ(pass.z[0], -pass.z[1], span / 70, { 'stroke-width': span / 110 });
  svg.innerHTML = dots.join('') + gaussianMarks({ ...pass, prior }, span) + z;
  return (x, y) => {
    const box = svg.getBoundingClientRect();
    return [[0, left + ((x - box.left) / box.width) * span], [1, top - ((y - box.top) / box.height) * span]];
  };
}

function drawBars(svg, order, names, prior, { mu, sigma, z }) {
  const width = 22, height = 190, bottom = 16, all = order.length * width;
  svg.setAttribute('viewBox', `0 0 ${all} ${height}`);
  svg.style.aspectRatio = `${Math.max(all, 300)} / ${height}`;
  const at = (sigmas) => (height - bottom) * (0.5 - sigmas / (2 * HALF_AXIS)); // above the prior's mean
  const up = (d, v) => at((v - prior.mean[d]) / prior.stddev[d]);
  const parts = [tag('rect', { x: 0, y: at(1), width: all, height: at(-1) - at(1), fill: 'currentColor', opacity: 0.08 })];
  order.forEach((d, i) => {
    const x = (i + 0.5) * width;
    parts.push(
      tag('line', { class: 'sigma', x1: x, x2: x, y1: up(d, mu[d] - sigma[d]), y2: up(d, mu[d] + sigma[d]), stroke: '#d6006c', 'stroke-width': 8, opacity: 0.45 }),
      tag('line', { x1: x - 7, x2: x + 7, y1: up(d, mu[d]), y2: up(d, mu[d]), stroke: '#d6006c', 'stroke-width': 3 }),
      markZ(x, up(d, z[d]), 4, { 'data-dim': d }),
      tag('text', { 'data-dim': d, x, y: height - 3, 'text-anchor': 'middle', 'font-size': 8, fill: 'currentColor' }, escaped(names[d])),
    );
  });
  svg.innerHTML = parts.join('');
  return (x, y) => {
    const box = svg.getBoundingClientRect();
    const d = order[Math.max(0, Math.min(order.length - 1, Math.floor(((x - box.left) / box.width) * order.length)))];
    const part = (((y - box.top) / box.height) * height) / (height - bottom);
    return [[d, prior.mean[d] + (0.5 - part) * 2 * HALF_AXIS * prior.stddev[d]]];
  };
}

const escaped = (text) => text.replace(/[&<]/g, (c) => (c === '&' ? '&amp;' : '&lt;'));
