// What marks a posterior, its prior and a code on a latent plane: SVG, with the second dimension upwards.

export const tag = (name, attributes, text = '') =>
  `<${name} ${Object.entries(attributes).map(([key, value]) => `${key}="${value}"`).join(' ')}>${text}</${name}>`;

// Returns the prior at one and two standard deviations, q(z|x) likewise, and z. span: the width of the plane.
// radius: of z. Without prior { mean, stddev }, mu and sigma it is z alone.
export function planeMarks({ mu, sigma, prior, z }, span, radius = span / 70) {
  const line = span / 220, ellipse = (name, k, mean, stddev, attributes) => tag('ellipse', {
    class: `${name}${k}`, cx: mean[0], cy: -mean[1], rx: k * stddev[0], ry: k * stddev[1], fill: 'none', ...attributes,
  });
  const ring = { stroke: 'currentColor', 'stroke-width': line / 2, 'stroke-dasharray': `${4 * line} ${3 * line}`, opacity: 0.7 };
  const gaussians = prior ? [
    ...[1, 2].map((k) => ellipse('prior', k, prior.mean, prior.stddev, ring)),
    ellipse('sigma', 2, mu, sigma, { stroke: '#d6006c', 'stroke-width': line, fill: '#d6006c', 'fill-opacity': 0.2 }),
    ellipse('sigma', 1, mu, sigma, { stroke: '#d6006c', 'stroke-width': 2 * line, fill: '#d6006c', 'fill-opacity': 0.25 }),
  ] : [];
  return gaussians.join('') + markZ(z[0], -z[1], radius, { 'stroke-width': 2 * line });
}

export const markZ = (cx, cy, r, attributes) => tag('circle', { class: 'z', cx, cy, r, fill: '#fff', stroke: '#d6006c', 'stroke-width': 2, ...attributes });
