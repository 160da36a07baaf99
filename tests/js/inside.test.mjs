// The window on the latent plane in which the posterior's ellipse is drawn.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { planeWindow } = await load('widgets/inside/posterior.js');
const PLANE = { low: -5, high: 5 };

test('the whole plane is the range of the data', () => {
  assert.deepEqual(planeWindow(PLANE, { mu: [1, 2], sigma: [0.1, 0.2], z: [1, 2] }, false), { left: -5, top: 5, span: 10 });
});

test('magnified, the ellipse of two standard deviations fills half of the window, around its mean', () => {
  const { left, top, span } = planeWindow(PLANE, { mu: [1, 2], sigma: [0.1, 0.2], z: [1.1, 2] }, true);
  assert.ok(Math.abs(span - 2 * 4 * 0.2) < 1e-9);
  assert.deepEqual([left + span / 2, top - span / 2].map((value) => Number(value.toFixed(9))), [1, 2]);
});

test('a z far from the mean stays in the magnified window', () => {
  const { left, span } = planeWindow(PLANE, { mu: [0, 0], sigma: [0.1, 0.1], z: [3, 0] }, true);
  assert.ok(3 < left + span);
});

test('an autoencoder has an ellipse of size 0 and still a window', () => {
  assert.ok(planeWindow(PLANE, { mu: [0, 0], sigma: [0, 0], z: [0, 0] }, true).span > 0);
});
