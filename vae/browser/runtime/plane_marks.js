// What marks a posterior, its prior and a code on a latent plane: SVG, with the second dimension upwards.

export const tag = (name, attributes, text = '') =>
  `<${name} ${Object.entries(attributes).map(([key, value]) => `${key}="${value}"`).join(' ')}>${text}</${name}>`;

// Returns the prior { mean, stddev } at one and two standard deviations, and q(z|x) likewise. span: the width of the plane.
export function gaussianMarks({ mu, sigma, prior }, span) {
  const line = span / 220, ellipse = (name, k, mean, stddev, attributes) => tag('ellipse', {
    class: `${name}${k}`, cx: mean[0], cy: -mean[1], rx: k * stddev[0], ry: k * stddev[1], fill: 'none', ...attributes,
  });
  const ring = { stroke: 'currentColor', 'stroke-width': line / 2, 'stroke-dasharray': `${4 * line} ${3 * line}`, opacity: 0.7 };
  return [
    ...[1, 2].map((k) => ellipse('prior', k, prior.mean, prior.stddev, ring)),
    ellipse('sigma', 2, mu, sigma, { stroke: '#d6006c', 'stroke-width': line, fill: '#d6006c', 'fill-opacity': 0.2 }),
    ellipse('sigma', 1, mu, sigma, { stroke: '#d6006c', 'stroke-width': 2 * line, fill: '#d6006c', 'fill-opacity': 0.25 }),
  ].join('');
}

export const markZ = (cx, cy, r, attributes) => tag('circle', { class: 'z', cx, cy, r, fill: '#fff', stroke: '#d6006c', 'stroke-width': 2, ...attributes });
