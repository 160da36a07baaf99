// The axis of the bars.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { ticks } = await load('widgets/bars/ticks.js');

test('ticks are round and end below the top', () => {
  assert.deepEqual(ticks(3.1), [0, 1, 2, 3]);
  assert.deepEqual(ticks(0.525), [0, 0.2, 0.4]);
  assert.deepEqual(ticks(20), [0, 5, 10, 15, 20]);
  assert.deepEqual(ticks(0.004), [0, 0.001, 0.002, 0.003, 0.004]);
});
