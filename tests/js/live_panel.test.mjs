// The arithmetic of sliders and pad.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { density, placeCross, planeJobs, CELLS } = await load('widgets/live_panel/plane.js');
const { tileValue, TILES } = await load('widgets/live_panel/around.js');
const { clean, samePoint, goTo, remember } = await load('widgets/live_panel/point.js');
const { label } = await load('widgets/live_panel/label.js');
const { phaseOf, swingValue } = await load('widgets/live_panel/play.js');
const { stepped } = await load('widgets/live_panel/snap.js');

const dim = (index, changes = {}) => ({ index, low: -2, high: 2, locked: false, name: '', ...changes });

// what the functions read of a panel; draws: a level from 0 to 255 for each dimension of each draw
const panelOf = (dims, z, draws = []) => ({
  data: { dims }, z, draws: [], entry: { draws: Uint8Array.from(draws) }, axisX: { value: '0' }, axisY: { value: '1' },
  cross: { style: {} }, rows: [],
});

test('density: 1 where all draws lie, 0 far from them, row 0 at the top', () => {
  const shade = density(panelOf([dim(0), dim(1)], [0, 0], [128, 40, 128, 40])); // low on the second axis
  assert.equal(shade.length, CELLS * CELLS);
  assert.equal(shade.indexOf(1), (CELLS - 1 - 10) * CELLS + CELLS / 2); // ten cells above the bottom row
  assert.equal(shade[0], 0);
});

test('density spreads over three cells each way', () => {
  const shade = density(panelOf([dim(0), dim(1)], [0, 0], [128, 128]));
  const middle = shade.indexOf(1);
  for (const step of [1, -1, CELLS, -CELLS]) assert.ok(Math.abs(shade[middle + step] - 2 / 3) < 1e-12);
  for (const step of [2, -2, 2 * CELLS]) assert.ok(Math.abs(shade[middle + step] - 1 / 3) < 1e-12);
  assert.equal(shade[middle + 3], 0);
});

test('a code of a few values has no lines around them and no dark gaps between them', () => {
  globalThis.matchMedia = () => ({ matches: true });
  const draws = [0, 28, 57, 85, 113, 142, 170, 198, 227, 255].flatMap((level) => [level, 128]);
  const shown = (changes) => {
    const drawn = [];
    const panel = {
      ...panelOf([dim(0, changes), dim(1, changes), dim(2)], [0, 0, 0], draws.flatMap((v, i) => (i % 2 ? [v, 0] : [v]))),
      padLine: {}, lines: [{ setAttribute: (name, path) => drawn.push(path) }],
    };
    const jobs = planeJobs(panel).filter((job) => job.row === 4);
    return { sentence: panel.padLine.textContent, path: drawn[0], least: Math.min(...jobs.map((job) => job.alpha)) };
  };
  const [any, few] = [shown({}), shown({ values: [-2, 0, 2] })];
  assert.ok(any.sentence.includes('inside the inner line') && any.path.length > 0 && any.least < 0.9);
  assert.ok(!few.sentence.includes('line') && few.path === '' && few.least === 1);
});

test('density does not wrap around the edges', () => {
  const shade = density(panelOf([dim(0), dim(1)], [0, 0], [0, 128]));
  for (let row = 0; row < CELLS; row++) assert.equal(shade[row * CELLS + CELLS - 1], 0);
});

test('a point that the host sets can be undone, and its own undo and redo keep the order', () => {
  const panel = { memory: { past: [], future: [] }, data: { by: '' } };
  const set = (by, last) => {
    panel.data.by = by;
    remember(panel, last);
    return [panel.memory.past.join(''), panel.memory.future.join('')];
  };
  assert.deepEqual(set('', 'a'), ['a', '']);
  assert.deepEqual(set('', 'b'), ['ab', '']);
  assert.deepEqual(set('undo', 'c'), ['a', 'c']);
  assert.deepEqual(set('undo', 'b'), ['', 'cb']);
  assert.deepEqual(set('redo', 'a'), ['a', 'c']);
  assert.deepEqual(set('', 'b'), ['ab', '']);
});

test('playing begins at the value of the slider, and stays between the ends of its strip', () => {
  const row = { dim: dim(0, { low: -7, high: 7 }) };
  for (const value of [-6, -1.5, 0, 3, 6]) assert.ok(Math.abs(swingValue(row, phaseOf(row, value)) - value) < 1e-9);
  assert.equal(phaseOf(row, 50), 0.5);
  assert.equal(swingValue(row, 0), tileValue(row, 0));
  assert.ok(Math.abs(swingValue(row, 0.5) - tileValue(row, TILES - 1)) < 1e-9);
});

test('density without draws is 0 everywhere', () => {
  const shade = density({ ...panelOf([dim(0), dim(1)], [0, 0]), entry: null });
  assert.ok(shade.every((value) => value === 0));
});

test('density follows the chosen axes', () => {
  const panel = panelOf([dim(0), dim(1), dim(2)], [0, 0, 0], [0, 128, 240]);
  panel.axisX.value = '2';
  assert.equal(density(panel).indexOf(1) % CELLS, (240 / 256) * CELLS);
});

test('the cross stands at z, and at the edge for a z outside', () => {
  const panel = panelOf([dim(0), dim(1)], [1, 9]);
  placeCross(panel);
  assert.deepEqual(panel.cross.style, { transform: 'translate(75%, 0%)' });
});

test('the tiles of a strip lie in the middles of equal parts of the range of the data, however long the track is', () => {
  const row = { dim: dim(0, { low: 0, high: TILES }), low: -9, high: 99 };
  assert.deepEqual(Array.from({ length: TILES }, (_, i) => tileValue(row, i)), Array.from({ length: TILES }, (_, i) => i + 0.5));
});

test('a value that is not finite goes back into the range of its dimension', () => {
  const panel = panelOf([dim(0), dim(1), dim(2), dim(3, { low: 0, high: 1 })], [Infinity, -Infinity, 0.5, NaN]);
  clean(panel);
  assert.deepEqual(panel.z, [2, -2, 0.5, 0.5]);
  assert.ok(panel.note);
});

test('two points are one where z and class agree', () => {
  const point = { z: [0, 1], y: 3 };
  assert.ok(samePoint(point, { z: [0, 1.0005], y: 3 }));
  assert.ok(!samePoint(point, { z: [0, 1.01], y: 3 }));
  assert.ok(!samePoint(point, { z: [0, 1], y: 2 }));
  assert.ok(!samePoint(point, { z: [0], y: 3 }));
});

test('locked dimensions stay where they are', (t) => {
  t.mock.method(globalThis, 'setTimeout', () => 0); // strips are drawn later
  const panel = { ...panelOf([dim(0, { locked: true }), dim(1)], [1, 1]), classes: { children: [] }, holding: false, entry: null };
  goTo(panel, { z: [-1, -1], y: 2 });
  assert.deepEqual([panel.z, panel.y], [[1, -1], 2]);
});

test('a dimension without a name is called by its number', () => {
  assert.deepEqual([label(dim(3)), label(dim(3, { name: 'tilt' }))], ['z3', 'tilt']);
});

test('a dimension with few values snaps to the nearest, and a step goes to the next', () => {
  const few = dim(0, { values: [-0.5, 0, 0.3, 2] }), any = dim(1, { values: null });
  const panel = panelOf([few, any], [0.2, 0.2]);
  clean(panel);
  assert.deepEqual(panel.z, [0.3, 0.2]);
  panel.z = [Infinity, -7];
  clean(panel);
  assert.deepEqual(panel.z, [2, -7]);
  assert.equal(stepped(few, 0.3, 1, 0.01), 2);
  assert.equal(stepped(few, 0.3, -1, 0.01), 0);
  assert.equal(stepped(few, 2, 1, 0.01), 2);
  assert.equal(stepped(any, 0.25, -1, 0.5), -0.25);
});
