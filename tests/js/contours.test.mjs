// Lines of equal density.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { contour, thresholdOf } = await load('runtime/contours.js');

test('the threshold of a share: cells from it on hold at least that share of the sum', () => {
  assert.equal(thresholdOf([4, 3, 2, 1], 0.4), 4);
  assert.equal(thresholdOf([1, 3, 2, 4], 0.5), 3);
  assert.equal(thresholdOf([4, 3, 2, 1], 0.95), 1);
});

test('a contour goes round one cell half-way to its neighbours, and is closed at the edge', () => {
  const points = (segments) => segments.flat().map((place) => place.join(' ')).sort();
  const single = [0, 0, 0, 0, 1, 0, 0, 0, 0]; // the middle of 3 x 3, whose centre is at (1.5, 1.5)
  const around = ['1.5 1', '2 1.5', '1.5 2', '1 1.5'];
  assert.deepEqual(points(contour(single, 3, 0.5, true)), [...around, ...around].sort()); // each point ends two lines
  const corner = ['0.5 0', '1 0.5', '0.5 1', '0 0.5'].flatMap((p) => [p, p]).sort();
  assert.deepEqual(points(contour([1, 0, 0, 0], 2, 0.5, true)), corner);
  assert.deepEqual(contour(single, 3, 2, true), []);
});

test('a contour that is left open runs where the values cross its level', () => {
  const grid = 4, ramp = Float64Array.from({ length: grid * grid }, (_, i) => i % grid); // rises to the right
  const places = contour(ramp, grid, 1.5, false).flat();
  assert.equal(places.length, 2 * (grid - 1));
  for (const [x] of places) assert.equal(x, grid / 2); // half-way between the middles of columns 1 and 2
});
