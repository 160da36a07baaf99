// The arithmetic of the map: places, zoom, neighbours, density, dots.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

globalThis.requestAnimationFrame = () => 1; // frames are not drawn here
globalThis.Path2D = class {
  constructor() { this.places = []; }
  moveTo(x, y) { this.places.push([x, y]); }
  lineTo(x, y) { this.places.push([x, y]); }
};
const modules = await Promise.all(['places', 'colours', 'density', 'dots', 'view', 'overlay', 'selection', 'hover', 'layout'].map(
  (name) => load(`widgets/scatter/${name}.js`),
));
const scatter = Object.assign({}, ...modules);
const { GRID } = scatter;

// a map of codes at the places of a 2-D layout, 100 x 100 px, as the functions read it
function mapOf(places, changes = {}) {
  const n = places.length;
  const points = {
    n, dims: 2, codes: Float32Array.from(places.flat()), labels: new Uint16Array(n), ys: new Uint16Array(n), recon: new Float32Array(n),
    layouts: { umap: Float32Array.from(places.flat()) },
  };
  const map = {
    points, width: 100, height: 100, view: { x: 0, y: 0, k: 1 }, shownClasses: new Set(), chosen: null, hover: -1, thumbs: [], thumbSize: 0,
    data: { layout: { key: 'umap', k: 2 }, y: 0 }, ...changes,
  };
  scatter.place(map);
  return map;
}

const SQUARE = [[0, 0], [1, 0], [0, 1], [1, 1]];
function near(found, wanted, tolerance = 1e-6) {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `[${i}]: ${found[i]}, not ${value}`));
}

// ---- places

test('a layout fits into the unit square around 0, both axes by one scale', () => {
  const map = mapOf([[10, 5], [14, 5], [10, 7], [14, 7]]);
  near(map.unit, [-0.5, -0.25, 0.5, -0.25, -0.5, 0.25, 0.5, 0.25]);
});

test('a few far points do not make the others small', () => {
  const values = Float32Array.from(Array.from({ length: 1000 }, (_, i) => [i / 999, 0]).flat());
  values[0] = -1000;
  const [left, right] = scatter.reach(values, 0);
  assert.ok(left > -0.2 && right <= 1);
});

test('one point alone has a place', () => near(mapOf([[3, 4]]).unit, [0, 0]));

test('stage and unit square, layout and unit square: there and back', () => {
  const map = mapOf(SQUARE);
  map.view = { x: 0.1, y: -0.2, k: 3 };
  near(scatter.fromStage(map, ...scatter.toStage(map, 0.3, 0.4)), [0.3, 0.4]);
  near(scatter.toOwn(map, ...scatter.toUnit(map, 0.7, 0.2)), [0.7, 0.2]);
});

test('up on the map is up on the stage', () => {
  const map = mapOf(SQUARE);
  assert.ok(scatter.toStage(map, 0, 0.5)[1] < scatter.toStage(map, 0, -0.5)[1]);
});

test('a mark outside stands at the edge', () => near(scatter.markerPlace(mapOf(SQUARE), [50, 0.5]), [90, 50]));

// ---- zoom

test('zoom keeps the place under the pointer', () => {
  const map = mapOf(SQUARE);
  const before = scatter.fromStage(map, 80, 30);
  scatter.zoom(map, 1.6, 80, 30);
  near(scatter.fromStage(map, 80, 30), before);
  assert.equal(map.view.k, 1.6);
});

test('zoom has a least and a greatest', () => {
  const map = mapOf(SQUARE);
  scatter.zoom(map, 1e9);
  assert.equal(map.view.k, scatter.MAX_ZOOM);
  scatter.zoom(map, 1e-9);
  assert.equal(map.view.k, scatter.MIN_ZOOM);
});

test('two fingers that part by a factor zoom by it', () => {
  const map = mapOf(SQUARE, { pointers: new Map([[1, [40, 50]], [2, [60, 50]]]) });
  scatter.pinch(map, 2, [80, 50]);
  near([map.view.k], [2]);
});

// ---- neighbours

test('the k nearest points, nearest first, weighted by 1 / squared distance', () => {
  const found = scatter.nearest([0, 0, 3, 0, 1, 0, 10, 10], [0.5, 0], 3);
  assert.deepEqual(found.map(({ p }) => p), [0, 2, 1]);
  near(found.map(({ weight }) => weight), [4, 4, 1 / 6.25]);
});

test('a point that is met exactly outweighs all others', () => {
  const [first, second] = scatter.nearest([0, 0, 1, 0], [0, 0], 2);
  assert.ok(first.weight / second.weight > 1e9);
});

test('fewer points than neighbours', () => assert.equal(scatter.nearest([0, 0], [1, 1], 5).length, 1));

test('a place between points is decoded from the weighted mean of their codes', () => {
  const map = mapOf([[0, 0], [3, 0], [0, 100]]);
  map.points.codes = Float32Array.from([10, -1, 20, -2, 99, 99]); // codes are not places here
  map.points.ys = Uint16Array.of(7, 8, 9);
  const { z, y } = scatter.codeAt(map, ...scatter.toStage(map, ...scatter.toUnit(map, 1, 0)));
  near(z, [(4 * 10 + 20) / 5, (4 * -1 - 2) / 5], 1e-4); // distances 1 and 2
  assert.equal(y, 7);
});

test('a place of a linear layout is its own code', () => {
  const map = mapOf(SQUARE);
  map.data.layout = { key: 'umap', origin: [5, 5, 5], axes: [[1, 0, 0], [0, 2, 0]] };
  const { z } = scatter.codeAt(map, ...scatter.toStage(map, ...scatter.toUnit(map, 0.25, 0.5)));
  near(z, [5.25, 6, 5]);
});

test('a touched point is decoded from its own code', () => {
  const map = mapOf(SQUARE, { hover: 1 });
  assert.deepEqual(scatter.codeAt(map, 0, 0).z, [1, 0]);
});

test('the point under the pointer; none where all are far or dim', () => {
  const map = mapOf(SQUARE);
  const [x, y] = scatter.toStage(map, ...scatter.toUnit(map, 1, 1));
  assert.equal(scatter.pointAt(map, x + 3, y), 3);
  assert.equal(scatter.pointAt(map, 50, 50), -1);
  map.shownClasses.add(5);
  assert.equal(scatter.pointAt(map, x + 3, y), -1);
});

test('highlighted: of a class that the filter shows and, if there is a selection, in it', () => {
  const map = mapOf(SQUARE);
  map.points.labels = Uint16Array.of(0, 1, 0, 1);
  const lit = () => [0, 1, 2, 3].filter((p) => scatter.isLit(map, p));
  assert.deepEqual(lit(), [0, 1, 2, 3]);
  map.shownClasses.add(1);
  assert.deepEqual(lit(), [1, 3]);
  map.chosen = Uint8Array.of(1, 1, 1, 0);
  assert.deepEqual(lit(), [1]);
});

test('what a lasso holds', () => {
  const line = [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]]; // not convex
  assert.ok(scatter.within(line, [1, 5]));
  assert.ok(!scatter.within(line, [5, 5]));
  assert.ok(!scatter.within(line, [-1, 5]));
});

test('a code stands at the mean position of its nearest codes, weighted like the codes of a position', () => {
  const { points } = mapOf([[0, 0], [3, 0], [0, 100]]);
  const positions = Float32Array.from([10, 1, 20, 2, 99, 99]);
  near(scatter.transform(points, { k: 2 }, positions, [1, 0]), [(4 * 10 + 20) / 5, (4 * 1 + 2) / 5], 1e-5); // distances 1, 2
  near(scatter.transform(points, { k: 2 }, positions, [3, 0]), [20, 2], 1e-6); // at a code, its own
});

test('a position of a plane: there and back', () => {
  const { points } = mapOf(SQUARE), plane = { origin: [1, 2, 3], axes: [[0.6, 0.8, 0], [0, 0, 1]] };
  const { z, y } = scatter.inverseTransform(points, plane, null, [2, -1], 5);
  near(z, [2.2, 3.6, 2]);
  assert.equal(y, 5);
  near(scatter.transform(points, plane, null, z), [2, -1]);
});

test('two dimensions of the codes are positions', () => {
  const points = { n: 2, dims: 3, codes: Float32Array.of(1, 2, 3, 4, 5, 6) };
  assert.deepEqual([...scatter.positionsOf(points, { dims: [2, 0] })], [3, 1, 6, 4]);
});

test('positions along a path are equally spaced, whatever its points are', () => {
  const path = [[0, 0], [1, 0], [1, 0], [1, 3]]; // of length 4, with a stop
  near(scatter.along(path, 5).flat(), [0, 0, 1, 0, 1, 1, 1, 2, 1, 3]);
  near(scatter.along([[2, 2], [2, 2]], 3).flat(), [2, 2, 2, 2, 2, 2]);
});

// ---- density

test('density keeps the number of points and lies where they do', () => {
  const n = 50;
  const values = scatter.densityOf(new Float32Array(2 * n), n, GRID, () => true); // all at the middle
  near([values.reduce((sum, v) => sum + v)], [n], 1e-6);
  const middle = (GRID / 2) * GRID + GRID / 2;
  assert.equal(values.indexOf(Math.max(...values)), middle);
  near([values[middle - 2]], [values[middle + 2]]);
});

test('density leaves out points that are not lit and those that lie far out', () => {
  const values = scatter.densityOf(Float32Array.of(0, 0, 9, 9), 2, GRID, (p) => p === 1);
  assert.ok(values.every((v) => v === 0));
});

test('three contours, the widest first', () => {
  const places = Array.from({ length: 400 }, (_, i) => [Math.cos(i) * Math.sqrt(i), Math.sin(i) * Math.sqrt(i)]);
  const widths = scatter.contoursOf(mapOf(places)).map((path) => Math.max(...path.places.map(([x]) => x)));
  assert.equal(widths.length, scatter.CONTOUR_SHARES.length);
  assert.ok(widths[0] > widths[1] && widths[1] > widths[2] && widths[2] > 0);
});

test('a name stands in the middle of its class', () => {
  const map = mapOf([[0, 0], [0.02, 0], [1, 1], [0, 1], [1, 0]]);
  map.points.labels = Uint16Array.of(1, 1, 0, 0, 0);
  near(scatter.modeOf(map, 1), [-0.49, -0.5], 1e-6);
  assert.equal(scatter.modeOf(map, 2), null);
});

// ---- dots

test('a dot covers its middle whole and its edge in part', () => {
  const stamp = scatter.stampOf(1);
  const shares = new Map();
  for (let i = 0; i < stamp.length; i += 3) shares.set(`${stamp[i]},${stamp[i + 1]}`, stamp[i + 2]);
  near([shares.get('0,0'), shares.get('1,0'), shares.get('1,1')], [0.9, 0.45, 0.9 * (1.5 - Math.SQRT2)]);
});

test('a dot at the edge of the picture stays inside it', () => {
  const pixels = new Uint32Array(4).fill(scatter.packed([0, 0, 0]));
  scatter.stampAt(pixels, 2, 2, 0, 0, Float32Array.of(-1, 0, 0.9, 0, 0, 1), 255, 128, 64);
  assert.deepEqual([...pixels], [scatter.packed([255, 128, 64]), ...Array(3).fill(scatter.packed([0, 0, 0]))]);
});

test('packed is RGBA in memory; mixed goes from one colour to the other', () => {
  assert.deepEqual([...new Uint8Array(Uint32Array.of(scatter.packed([1, 2, 3])).buffer)], [1, 2, 3, 255]);
  assert.deepEqual(scatter.mixed([0, 100, 200], [100, 0, 200], 0.25), [25, 75, 200]);
});

test('a thumbnail is crowded by one that covers much of it', () => {
  const taken = new Map([[2 * 65536 + 2, [45, 45]]]); // in cells of 20 px
  assert.ok(scatter.crowded(taken, 2, 3, 50, 60, 17));
  assert.ok(!scatter.crowded(taken, 2, 3, 50, 63, 17));
});

test('a colour is read as a canvas writes it, not from a pixel', () => {
  assert.deepEqual(scatter.channels('#3f90da'), [63, 144, 218]);
  assert.deepEqual(scatter.channels('rgba(1, 20, 255, 0.5)'), [1, 20, 255]);
  assert.deepEqual(scatter.channels('color(srgb 1 0.5 0)'), [255, 128, 0]);
});
