// Random numbers from a seed.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { normals, shuffled } = await load('runtime/random.js');

test('a seed gives the same samples again, and another seed others', () => {
  const first = (seed) => Array.from({ length: 4 }, normals(seed));
  assert.deepEqual(first(7), first(7));
  assert.notDeepEqual(first(7), first(8));
  assert.ok(first(2 ** 31 - 1).every(Number.isFinite));
});

test('samples have the moments of N(0, 1), also over seeds', () => {
  const n = 20000, next = normals(3);
  for (const samples of [Array.from({ length: n }, next), Array.from({ length: n }, (_, seed) => normals(seed)())]) {
    const moment = (k) => samples.reduce((sum, v) => sum + v ** k, 0) / n;
    // four standard errors of each moment
    assert.ok(Math.abs(moment(1)) < 4 / Math.sqrt(n));
    assert.ok(Math.abs(moment(2) - 1) < 4 * Math.sqrt(2 / n));
    assert.ok(Math.abs(moment(4) - 3) < 4 * Math.sqrt(96 / n));
  }
});

test('a shuffle keeps the elements, and every order is as frequent as another', () => {
  const n = 6000, counts = new Map();
  for (let seed = 0; seed < n; seed++) {
    const order = shuffled(['a', 'b', 'c'], seed).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  const deviation = Math.sqrt((n / 6) * (5 / 6)); // of a binomial count
  for (const count of counts.values()) assert.ok(Math.abs(count - n / 6) < 4 * deviation, `${count}`);
  assert.deepEqual(shuffled(['a', 'b', 'c'], 5), shuffled(['a', 'b', 'c'], 5));
});
