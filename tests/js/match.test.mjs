// How the game scores.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { score, distance, text } = await load('widgets/match/score.js');

const game = (goal, height, width, channels = 1) => ({
  goal, data: { height, width, channels, start_distance: 0.5 },
});

test('the target scores 100, what is no nearer than the start 0', () => {
  const goal = [1, 0, 0, 0];
  assert.equal(score(game(goal, 2, 2), goal), 100);
  assert.equal(score(game(goal, 2, 2), [0, 1, 1, 1]), 0);
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
