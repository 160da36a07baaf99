// A visitor's picture on its way to the model: area averages, strokes, preparation.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { areaAverage } = await load('runtime/area_average.js');
const { rasterise } = await load('runtime/strokes.js');
const { prepare } = await load('runtime/prepare.js');
const { greyOf } = await load('runtime/prepare/pixels.js');

const near = (found, wanted, tolerance = 1e-5) => {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `[${i}]: ${found[i]}, not ${value}`));
};

// ---- area averages

test('pixels are averaged over whole and partial rectangles', () => {
  near(areaAverage([0, 100, 200, 40], 4, 1, 1, 2, 1), [50, 120]);
  near(areaAverage([0, 90, 180], 3, 1, 1, 2, 1), [30, 150]); // 1.5 pixels each: (0 + 45) / 1.5 and (45 + 180) / 1.5
  near(areaAverage([0, 90, 180], 1, 3, 1, 1, 2), [30, 150]);
});

test('channels stay apart', () => {
  near(areaAverage([0, 200, 100, 100, 50, 0, 150, 60], 2, 2, 2, 1, 1), [75, 90]);
});

test('an enlarged pixel is repeated', () => near(areaAverage([1, 5], 2, 1, 1, 4, 2), [1, 1, 5, 5, 1, 1, 5, 5]));

test('a box cuts pixels in parts', () => {
  near(areaAverage([0, 10, 20, 30], 4, 1, 1, 1, 1, [0.5, 0, 3.25, 1]), [(10 + 20 + 0.25 * 30) / 2.75]);
  near(areaAverage([0, 10, 20, 30], 4, 1, 1, 2, 1, [1, 0, 4, 1]), [(10 + 10) / 1.5, (10 + 30) / 1.5]);
});

test('the mean of a picture is the mean of its average, at any size', () => {
  const values = Float64Array.from({ length: 37 * 23 }, (_, i) => (i * 7919) % 256);
  const mean = (all) => all.reduce((sum, v) => sum + v, 0) / all.length;
  for (const [across, down] of [[28, 28], [5, 3], [1, 1], [37, 23], [64, 11]]) {
    near([mean(areaAverage(values, 37, 23, 1, across, down))], [mean(values)], 1e-3);
  }
});

// ---- strokes

const inkOf = ({ data }) => Array.from({ length: data.length / 4 }, (_, i) => 1 - data[4 * i] / 255);
const total = (ink) => ink.reduce((sum, share) => sum + share, 0);

test('no strokes: white paper, opaque', () => {
  const { width, height, data } = rasterise([], 4);
  assert.deepEqual([width, height, data.length], [4, 4, 64]);
  assert.ok(data.every((value) => value === 255));
});

test('a tap is a dot of the pen\'s width', () => {
  const ink = inkOf(rasterise([{ width: 0.2, points: [[0.5, 0.5]] }], 100));
  near([total(ink)], [Math.PI * 10 ** 2], 4);
  near([ink[50 * 100 + 50], ink[50 * 100 + 58], ink[50 * 100 + 61]], [1, 1, 0]);
});

test('a line has round caps and its width everywhere', () => {
  const ink = inkOf(rasterise([{ width: 0.1, points: [[0.2, 0.5], [0.6, 0.5], [0.8, 0.5]] }], 100));
  near([total(ink)], [60 * 10 + Math.PI * 5 ** 2], 4);
  const column = (x) => total(Array.from({ length: 100 }, (_, y) => ink[y * 100 + x]));
  near([column(30), column(60), column(70), column(10)], [10, 10, 10, 0], 0.01);
});

test('a line that crosses itself, or another, is no darker', () => {
  const cross = [{ width: 0.1, points: [[0.1, 0.5], [0.9, 0.5]] }, { width: 0.1, points: [[0.5, 0.1], [0.5, 0.9]] }];
  const ink = inkOf(rasterise([...cross, ...cross], 50));
  near([total(ink)], [total(inkOf(rasterise(cross, 50)))], 1e-6);
});

test('a line thinner than a pixel is pale, and one beyond the edge is cut', () => {
  const ink = inkOf(rasterise([{ width: 0.02, points: [[-1, 0.25], [2, 0.25]] }], 10));
  near([ink[2 * 10 + 5]], [0.2], 1 / 255);
  assert.equal(total(inkOf(rasterise([{ width: 0.1, points: [[3, 3], [4, 3]] }], 10))), 0);
});

// ---- preparation, the plain way

const picture = (width, height, colour) => ({
  width, height, data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 255 : colour(Math.floor(i / 4) % width, Math.floor(i / 4 / width), i % 4))),
});

test('grey is Pillow\'s', () => assert.deepEqual([...greyOf(picture(1, 1, (x, y, c) => [200, 100, 50][c]))], [124]));

test('the middle of a wide picture is averaged', () => {
  const { x, inverted } = prepare(picture(8, 4, (at) => (at < 2 || at > 5 ? 255 : 40 * at)), [1, 1, 1], {});
  near(x, [(80 + 120 + 160 + 200) / 4 / 255]);
  assert.equal(inverted, false);
});

test('dark ink on light paper is inverted for light-on-dark data only, unless the visitor says otherwise', () => {
  const seven = picture(4, 4, (x, y) => (x % 3 && y % 3 ? 0 : 255));
  const light = { light_on_dark: true };
  assert.equal(prepare(seven, [1, 4, 4], light).x[5], 1);
  assert.equal(prepare(seven, [1, 4, 4], light, { invert: false }).x[5], 0);
  assert.equal(prepare(seven, [1, 4, 4], {}).x[5], 0);
  assert.equal(prepare(seven, [1, 4, 4], {}, { invert: true }).x[5], 1);
});

test('colour is channel first', () => {
  near(prepare(picture(2, 1, (x, y, c) => 100 * x + 10 * c), [3, 1, 2], {}, { invert: false }).x.map((v) => v * 255), [0, 100, 10, 110, 20, 120], 1e-3);
});
