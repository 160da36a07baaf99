// The film and the charts of a training.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createFilm, takeFrames, completeUntil, between, highestKl, evenly } = await load('widgets/training/film.js');
const { rangeOf, ticksBetween, betaChanges, valueAt } = await load('widgets/training/charts.js');
const { classMedians, placing } = await load('widgets/training/plane.js');

const codes = (...shares) => Buffer.from(Int16Array.from(shares, (share) => Math.round(32767 * share)).buffer).toString('base64');
const frame = (step, ...shares) => ({ step, reach: 2, codes: codes(...shares), extent: [-2, 2, -2, 2], kl: [step, 1] });
const filmOf = (...steps) => {
  const film = createFilm('a');
  takeFrames(film, { frames: steps.map((step) => frame(step, 1, -1)), steps });
  return film;
};

test('a film keeps what it has received, in the order of the steps', () => {
  const film = filmOf(0, 10);
  assert.equal(takeFrames(film, { frames: [frame(20, 0.5, 0)], steps: [0, 10, 20] }), true);
  assert.deepEqual(film.frames.map(({ step }) => step), [0, 10, 20]);
  assert.ok(Math.abs(film.frames[2].codes[0] - 1) < 1e-4, 'half of the reach');
  assert.equal(takeFrames(film, { frames: [], steps: [0, 10, 20] }), false);
});

test('a film drops the snapshots that its host has dropped', () => {
  const film = filmOf(0, 10, 20, 30);
  takeFrames(film, { frames: [], steps: [0, 20, 30] });
  assert.deepEqual(film.frames.map(({ step }) => step), [0, 20, 30]);
});

test('a film names the step before its first gap', () => {
  const film = filmOf(0, 10);
  assert.equal(completeUntil(film), null);
  takeFrames(film, { frames: [frame(30, 1, 1)], steps: [0, 10, 20, 30] });
  assert.equal(completeUntil(film), 10);
  const late = createFilm('b');
  takeFrames(late, { frames: [frame(30, 1, 1)], steps: [0, 10, 20, 30] });
  assert.equal(completeUntil(late), -1);
});

test('points and plane move on straight lines from one snapshot to the next', () => {
  const a = { codes: Float32Array.of(0, 4), extent: [0, 1, 0, 1] }, b = { codes: Float32Array.of(2, 0), extent: [-1, 1, 0, 3] };
  assert.deepEqual([...between(a, b, 0.25).codes], [0.5, 3]);
  assert.deepEqual(between(a, b, 0.5).extent, [-0.5, 1, 0, 2]);
  assert.deepEqual(between(a, b, 1), b);
  assert.deepEqual(between(null, b, 0), b);
  assert.deepEqual(between({ ...a, codes: Float32Array.of(1) }, b, 0.5), b, 'another number of images');
});

test('a file has the first and the last snapshot', () => {
  const { frames } = filmOf(0, 1, 2, 3, 4, 5, 6, 7, 8);
  assert.deepEqual(evenly(frames, 3).map(({ step }) => step), [0, 4, 8]);
  assert.equal(evenly(frames, 60).length, 9);
});

test('the bars of all snapshots have one axis', () => {
  assert.equal(highestKl(filmOf(0, 7, 3), 1), 7);
  assert.equal(highestKl(filmOf(0), 1), 1);
  const peaked = filmOf(0, 1, 20, 40, 60);
  peaked.frames[1].kl = [99, 1];
  assert.equal(highestKl(peaked, 1), 60, 'without the peak of the first steps');
});

const curve = {
  step: [0, 5, 10, 50, 100], beta: [1, 1, 4, 4, 1], recon: [540, 200, 160, 150, 140], kl: [null, 1, 2, 3, null],
};

test('a chart leaves out the loss of the untrained network', () => {
  const [low, high] = rangeOf(curve, ['recon']);
  assert.deepEqual([low, high], [139, 161]);
  assert.deepEqual(rangeOf({ step: [0], recon: [null] }, ['recon']), [0, 1]);
});

test('ticks are round numbers within the range', () => {
  assert.deepEqual(ticksBetween(139, 161), [140, 150, 160]);
  assert.deepEqual(ticksBetween(0, 1), [0, 0.5, 1]);
});

test('a chart marks where beta changed', () => assert.deepEqual(betaChanges(curve), [[10, 4], [100, 1]]));

test('the value of a step is the last one that was measured', () => {
  assert.equal(valueAt(curve, 'kl', 100), 3);
  assert.equal(valueAt(curve, 'kl', 7), 1);
  assert.equal(valueAt(curve, 'kl', 2), null);
});

test('the name of a class stands at the median of its codes', () => {
  const medians = classMedians(Float32Array.of(0, 0, 5, 1, 9, 9, 1, 2), [0, 0, 1, 0]);
  assert.deepEqual([...medians], [[0, [1, 1]], [1, [9, 9]]]);
});

test('the plane has its first axis to the right and its second upwards', () => {
  const place = placing(100, [-1, 1, 0, 4]);
  assert.deepEqual([place(-1, 4), place(1, 0), place(0, 2)], [[0, 0], [100, 100], [50, 50]]);
});
