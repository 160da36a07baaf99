// Paths between two codes, as in vae/latent/geometry.py. A code has D values; t is 0 at a and 1 at b.

const MIN_SINE = 1e-4; // of the angle between the ends, below which no arc is defined

export const lerp = (a, b, t) => Array.from(a, (value, d) => (1 - t) * value + t * b[d]);

// Follows the great arc (Shoemake 1985) while the length changes linearly, so that the path passes exactly through a and
// b. Where no arc is defined (an end at the origin, ends parallel or opposite) this is lerp.
export function slerp(a, b, t) {
  const lengthA = Math.hypot(...a), lengthB = Math.hypot(...b);
  if (t === 0 || t === 1 || lengthA === 0 || lengthB === 0) return lerp(a, b, t);
  const from = Array.from(a, (value) => value / lengthA), to = Array.from(b, (value) => value / lengthB);
  // the arccosine of the product is inaccurate for small angles
  const angle = 2 * Math.atan2(Math.hypot(...from.map((value, d) => value - to[d])), Math.hypot(...from.map((value, d) => value + to[d])));
  const sine = Math.sin(angle), length = (1 - t) * lengthA + t * lengthB;
  if (sine < MIN_SINE) return lerp(a, b, t);
  const [near, far] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
  return from.map((value, d) => ((near * value + far * to[d]) / sine) * length);
}

// Returns n codes that differ from z in dimension d alone, which goes from low to high.
export const traversal = (z, d, [low, high], n) => Array.from({ length: n }, (_, i) => (
  Array.from(z, (value, e) => (e === d ? low + ((high - low) * i) / (n - 1) : value))));

// Returns n equally spaced values of t from -margin to 1 + margin, both included.
export const stepsOf = (n, margin = 0) => Array.from({ length: n }, (_, i) => -margin + ((1 + 2 * margin) * i) / (n - 1));
