// Paths between two codes.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { lerp, slerp, stepsOf, traversal } = await load('runtime/paths.js');

const near = (found, wanted, tolerance = 1e-12) => {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `[${i}]: ${found[i]}, not ${value}`));
};
const SLERP = [[1.5, -0.25, 2, 0.75], [-0.5, 1, 0.25, 3]]; // ends of the values of geometry.py below

test('both paths pass exactly through their ends', () => {
  for (const path of [lerp, slerp]) {
    const [a, b] = [[0.1, -2.3, 1e-9], [3.7, 0.2, -0.4]];
    assert.deepEqual(path(a, b, 0), a);
    assert.deepEqual(path(a, b, 1), b);
  }
});

test('lerp is the weighted mean, and goes on beyond the ends', () => {
  assert.deepEqual(lerp([0, 4], [8, 0], 0.25), [2, 3]);
  assert.deepEqual(lerp(Float64Array.of(0, 4), [8, 0], -0.25), [-2, 5]);
});

test('slerp by hand: 45 degrees, at the mean of the lengths', () => {
  near(slerp([2, 0], [0, 4], 0.5), [3 / Math.SQRT2, 3 / Math.SQRT2]);
  near(slerp([1, 0, 0], [0, 1, 0], 1 / 3), [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6), 0]);
});

test('slerp gives the values of vae/latent/geometry.py', () => {
  near(slerp(...SLERP, -0.25), [1.566422, -0.50215, 1.847484, -0.071524], 1e-5);
  near(slerp(...SLERP, 0.6), [0.556269, 0.540311, 1.374715, 2.522488], 1e-5);
});

test('without an arc slerp is straight', () => {
  for (const [a, b] of [[[0, 0], [3, 1]], [[1, 2], [2, 4]], [[1, 2], [-2, -4]]]) assert.deepEqual(slerp(a, b, 0.3), lerp(a, b, 0.3));
});

test('steps are equally spaced, with a margin on both sides', () => {
  assert.deepEqual(stepsOf(3), [0, 0.5, 1]);
  assert.deepEqual(stepsOf(7, 0.25), [-0.25, 0, 0.25, 0.5, 0.75, 1, 1.25]);
});

test('a traversal changes one dimension, from end to end', () => {
  assert.deepEqual(traversal(Float64Array.of(7, 8, 9), 1, [-1, 1], 3), [[7, -1, 9], [7, 0, 9], [7, 1, 9]]);
});
