// What marks a posterior, its prior and a code on a latent plane: SVG, with the second dimension upwards.

export const tag = (name, attributes, text = '') =>
  `<${name} ${Object.entries(attributes).map(([key, value]) => `${key}="${value}"`).join(' ')}>${text}</${name}>`;

// Returns the prior at one and two standard deviations, q(z|x) likewise, and z. span: the width of the plane.
export function planeMarks({ mu, sigma, z }, span) {
  const line = span / 220;
  const rings = [1, 2].map((r) => tag('circle', { cx: 0, cy: 0, r, fill: 'none', stroke: 'currentColor', 'stroke-width': line / 2, 'stroke-dasharray': `${4 * line} ${3 * line}`, opacity: 0.7 }));
  const ellipse = (k, width) => tag('ellipse', {
    class: `sigma${k}`, cx: mu[0], cy: -mu[1], rx: k * sigma[0], ry: k * sigma[1], fill: k === 1 ? '#d6006c' : 'none', 'fill-opacity': 0.25,
    stroke: '#d6006c', 'stroke-width': width,
  });
  return rings.join('') + ellipse(2, line) + ellipse(1, 2 * line) + markZ(z[0], -z[1], span / 70, { 'stroke-width': 2 * line });
}

export const markZ = (cx, cy, r, attributes) => tag('circle', { class: 'z', cx, cy, r, fill: '#fff', stroke: '#d6006c', 'stroke-width': 2, ...attributes });
