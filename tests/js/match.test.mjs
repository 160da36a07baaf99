// How the game scores.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { score, distance, worstOf, text } = await load('widgets/match/score.js');

const game = (goal, height, width, channels = 1) => ({
  goal, data: { height, width, channels, worst: 0.6, best: 0.2 },
});

test('the score is the share of the way from the worst distance to the best', () => {
  const goal = [1, 0, 0, 0];
  assert.equal(score(game(goal, 2, 2), goal), 100); // nearer than the best
  assert.equal(score(game(goal, 2, 2), [0, 1, 1, 1]), 0); // farther than the worst
  // one pixel that differs by a: distance a * (1 / 2 + 1 / 4) / 2
  assert.ok(Math.abs(score(game(goal, 2, 2), [0, 0, 0, 0]) - (100 * (0.6 - 0.375)) / 0.4) < 1e-9);
});

test('no plain picture is nearer than the worst distance, and the average one is not either', () => {
  const goal = Array.from({ length: 48 }, (_, i) => ((i * 37) % 48) / 48), one = game(goal, 4, 4, 3);
  const average = goal.map((value) => 0.9 * value), far = goal.map(() => 5);
  assert.equal(worstOf(one, average), distance(one, average));
  for (const red of [0, 0.2, 0.4, 0.5, 0.6, 1]) {
    for (const blue of [0, 0.4, 0.5, 0.6, 1]) {
      const plain = goal.map((_, i) => [red, 0.48, blue][i % 3]);
      assert.ok(distance(one, plain) >= worstOf(one, far) - 1e-9);
    }
  }
});

test('distance: the mean over scales of the root mean square of block means', () => {
  // scale 1: sqrt(1 / 4); scale 2: one block whose mean differs by 1 / 4
  assert.equal(distance(game([1, 0, 0, 0], 2, 2), [0, 0, 0, 0]), (0.5 + 0.25) / 2);
});

test('distance takes each channel by itself', () => {
  // 1 x 1 pixel, two channels that differ by +1 and -1: they do not cancel
  assert.equal(distance(game([1, 0], 1, 1, 2), [0, 1]), 1);
});

test('scales that do not divide the picture are left out', () => {
  assert.equal(distance(game([1, 0, 0], 1, 3), [0, 0, 0]), Math.sqrt(1 / 3));
});

test('a slider says how far it is, in per cent', () => {
  assert.deepEqual([text({ low: -3, high: 3 }, -3), text({ low: -3, high: 3 }, 1.5)], ['0 %', '75 %']);
});
