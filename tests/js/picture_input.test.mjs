// The picture input: the crop frame's geometry, what the tab keeps.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { boundsOf, cut, fitted, moved, resized, quarterTurned, scaled, sidesOf, tiltOf, toView, fromView, turned, wholeFrame } = await load('widgets/picture_input/frame.js');
const { createMemory, MAX_LENGTH, MAX_PICTURES } = await load('widgets/picture_input/memory.js');

const near = (found, wanted, tolerance = 1e-6) => {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `[${i}]: ${found[i]}, not ${value}`));
};

// a picture whose pixels tell their place: red is the column, green the row
const picture = (width, height) => ({
  width, height, data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => [Math.floor(i / 4) % width, Math.floor(i / 4 / width), 7, 255][i % 4]),
});
const places = ({ data }) => Array.from({ length: data.length / 4 }, (_, i) => [data[4 * i], data[4 * i + 1]].join());
const WIDE = picture(40, 20);

// ---- the frame

test('the first frame is the whole picture, or the largest of an aspect ratio', () => {
  assert.deepEqual(wholeFrame(WIDE), { x: 20, y: 10, width: 40, height: 20, angle: 0 });
  assert.deepEqual(wholeFrame(WIDE, 1), { x: 20, y: 10, width: 20, height: 20, angle: 0 });
});

test('a frame is cut to the aspect ratio of other data around its middle', () => {
  const frame = { x: 12, y: 8, width: 16, height: 10, angle: 30 };
  assert.deepEqual(fitted(frame, 1), { ...frame, width: 10 });
  assert.deepEqual(fitted(frame, 2), { ...frame, height: 8 });
  assert.deepEqual(fitted(frame, null), frame);
});

test('the view of a turned picture, there and back', () => {
  near(toView(WIDE, 90, [40, 10]), [0, 20]); // the right side is below
  near(fromView(WIDE, 33, toView(WIDE, 33, [3, 17])), [3, 17]);
  near(boundsOf(WIDE, 90), [20, 40]);
  near(boundsOf(WIDE, 45), [60 * Math.SQRT1_2, 60 * Math.SQRT1_2]);
});

test('the whole picture is cut out as it is, pixel by pixel', () => {
  assert.deepEqual(cut(WIDE, wholeFrame(WIDE)), WIDE);
  const part = cut(WIDE, { x: 12, y: 6.2, width: 4, height: 2, angle: 0 });
  assert.deepEqual([part.width, part.height], [4, 2]);
  assert.deepEqual(places(part), ['10,5', '11,5', '12,5', '13,5', '10,6', '11,6', '12,6', '13,6']);
});

test('a quarter turn to the right moves the lower left corner to the upper left', () => {
  const small = picture(3, 2), frame = quarterTurned(small, wholeFrame(small), 1);
  assert.deepEqual(places(cut(small, frame)), ['0,1', '0,0', '1,1', '1,0', '2,1', '2,0']);
  const { width, height } = cut(small, frame);
  assert.deepEqual([width, height], [2, 3]);
  assert.deepEqual(places(cut(small, quarterTurned(small, frame, 1))), places(small).reverse());
  assert.deepEqual(cut(small, quarterTurned(small, quarterTurned(small, frame, 2), 1)), small, 'four quarters are none');
});

test('a turn by half a degree looks like none, away from the edge', () => {
  const large = picture(200, 200), frame = { x: 100, y: 100, width: 21, height: 21, angle: 0.5 };
  const { data } = cut(large, frame), middle = 4 * (10 * 21 + 10);
  near([data[middle], data[middle + 1]], [100, 100], 1);
  const first = fromView(large, 0.5, [-10, -10]);
  near([data[0], data[1]], [first[0] - 0.5, first[1] - 0.5], 1);
});

test('what is cut out is averaged to the size that preparation takes', () => {
  const large = picture(200, 100), { width, height, data } = cut(large, wholeFrame(large), 20);
  assert.deepEqual([width, height, data[0], data[1], data[3]], [20, 10, 4, 4, 255]); // 4.5, rounded to even
  const turnedOne = cut(large, { x: 100, y: 50, width: 50, height: 50, angle: 45 }, 25);
  assert.deepEqual([turnedOne.width, turnedOne.height], [25, 25]);
});

test('the frame stays within the picture', () => {
  const frame = { x: 10, y: 10, width: 10, height: 10, angle: 0 };
  near(sidesOf(WIDE, moved(WIDE, frame, 5, -100)), [-10, -10, 0, 0]);
  near(sidesOf(WIDE, resized(WIDE, frame, [1, 1], 1000, 1000)), [-15, -5, 20, 10]);
  near(sidesOf(WIDE, resized(WIDE, frame, [0, 0], -1000, 1)), [-20, -10, -5, 5]); // no smaller than 16 px, where there is room
  near(sidesOf(WIDE, scaled(WIDE, frame, 100)), [-20, -10, 0, 10]);
  for (const angle of [0, 30, 90, 200]) {
    const [width, height] = boundsOf(WIDE, angle), sides = sidesOf(WIDE, turned(WIDE, wholeFrame(WIDE), angle));
    sides.forEach((side, i) => assert.ok(Math.abs(side) <= [width, height][i % 2] / 2 + 1e-9, `${angle} degrees: ${sides}`));
  }
});

test('a corner is dragged, the opposite one stays; with an aspect ratio too', () => {
  const frame = { x: 20, y: 10, width: 18, height: 18, angle: 0 };
  near(sidesOf(WIDE, resized(WIDE, frame, [1, 0], 4, 1)), [-9, -8, 13, 9]);
  near(sidesOf(WIDE, resized(WIDE, frame, [0, 1], -4, 1, 1)), [-10, -9, 9, 10]);
});

test('the frame is dragged in the direction of the hand, however the picture is turned', () => {
  const frame = { x: 100, y: 100, width: 20, height: 20, angle: 90 }, large = picture(200, 200);
  const after = moved(large, frame, 5, 0);
  near(sidesOf(large, after), sidesOf(large, frame).map((side, i) => side + (i % 2 ? 0 : 5)));
  near([after.x, after.y], [100, 95]);
});

test('turning keeps what is in the middle of the frame', () => {
  const frame = { x: 60, y: 140, width: 20, height: 30, angle: 0 };
  const after = turned(picture(200, 200), frame, -5);
  near([after.x, after.y, after.width, after.height, after.angle], [60, 140, 20, 30, 355]);
  const quarter = quarterTurned(picture(200, 200), frame, 1);
  near([quarter.x, quarter.y, quarter.width, quarter.height], [60, 140, 30, 20]);
  near([0, 44, 46, 90, 359].map((angle) => tiltOf({ angle })), [0, 44, -44, 0, -1]);
});

// ---- what the tab keeps

function storageOf(quota = Infinity) {
  const values = new Map();
  return {
    values, getItem: (key) => values.get(key) ?? null, removeItem: (key) => values.delete(key),
    setItem(key, value) {
      const others = [...values].filter(([name]) => name !== key).reduce((sum, [, text]) => sum + text.length, 0);
      if (others + value.length > quota) throw new DOMException('full', 'QuotaExceededError');
      values.set(key, value);
    },
  };
}
const jpeg = (length) => 'data:image/jpeg;base64,'.padEnd(length, 'x');
const item = (id, length = 30) => ({ id, name: `picture ${id}`, kind: 'file', content: jpeg(length), settings: {} });
const ids = (memory) => memory.list().map(({ id }) => id).join('');

test('the last six pictures are kept, the latest first', () => {
  const storage = storageOf(), memory = createMemory(storage);
  for (const id of 'abcdefgh') assert.ok(memory.keep(item(id)));
  assert.equal(ids(memory), 'hgfedc');
  assert.equal(memory.find('a'), null);
  assert.equal(memory.find('h').content, jpeg(30));
  memory.keep(item('e', 40));
  assert.deepEqual([ids(memory), memory.list().length], ['ehgfdc', MAX_PICTURES]);
  assert.equal(storage.values.size, 1 + MAX_PICTURES);
});

test('pictures and settings are there for another widget and after a reload', () => {
  const storage = storageOf(), memory = createMemory(storage);
  memory.keep(item('a'));
  memory.set('a', { plain: true });
  memory.use('start', { id: 'a', data: 'mnist', settings: {} });
  const later = createMemory(storage);
  assert.deepEqual(later.find('a').settings, { plain: true });
  assert.deepEqual([later.used('start'), later.used('end')], [{ id: 'a', data: 'mnist', settings: {} }, null]);
  later.leave('start');
  assert.equal(memory.used('start'), null);
  later.clear();
  assert.deepEqual([memory.list(), storage.values.size], [[], 0]);
});

test('no more than four megabytes are kept: the oldest go first', () => {
  const memory = createMemory(storageOf());
  for (const id of 'abc') memory.keep(item(id, MAX_LENGTH / 3 - 10));
  memory.keep(item('d', MAX_LENGTH / 3));
  assert.equal(ids(memory), 'dcb');
  assert.equal(memory.keep(item('e', MAX_LENGTH)), false);
  assert.ok(!ids(memory).includes('e'));
});

test('a full storage gives up older pictures first, and says where there is no room at all', () => {
  const storage = storageOf(1500), memory = createMemory(storage);
  assert.ok(memory.keep(item('a', 400)));
  assert.ok(memory.keep(item('b', 400)));
  assert.ok(memory.keep(item('c', 600)));
  assert.equal(ids(memory), 'cb');
  assert.equal(memory.find('c').content.length, 600);
  assert.equal(memory.keep(item('d', 5000)), false);
  assert.equal(memory.find('d'), null);
});

test('a damaged storage is an empty one', () => {
  const storage = storageOf(), memory = createMemory(storage);
  for (const text of ['{', 'null', '[]', '{"pictures": 3}']) {
    storage.setItem('latent-space-explorer.pictures', text);
    assert.deepEqual([memory.list(), memory.used('start'), memory.find('a')], [[], null, null]);
  }
  assert.ok(memory.keep(item('a')));
});

test('what is damaged in a storage is not used', () => {
  const storage = storageOf(), memory = createMemory(storage), stroke = { width: 0.1, points: [[0, 1]] };
  const keep = (kind, content, settings = {}) => memory.keep({ ...item('a'), kind, content, settings }) && memory.find('a');
  assert.deepEqual(keep('strokes', [stroke]).content, [stroke]);
  for (const content of [3, null, [7], [{ width: 0.1, points: [] }], [{ ...stroke, width: 'x' }], [{ ...stroke, points: [[null, 2]] }]]) {
    assert.equal(keep('strokes', content), null);
  }
  for (const content of ['', 'x', 'data:text/html;base64,xx', `${jpeg(40)}!`, [stroke]]) assert.equal(keep('file', content), null);
  for (const kind of ['toString', undefined, 'video']) assert.equal(keep(kind, jpeg(30)), null);
  const frame = { x: 5, y: 5, width: 9, height: 9, angle: 0 };
  assert.deepEqual(keep('file', jpeg(30), { frame }).settings, { frame });
  for (const wrong of [5, { ...frame, x: 'q' }, { ...frame, width: -1 }]) assert.equal(keep('file', jpeg(30), { frame: wrong }), null);
  memory.use('start', 7);
  memory.use('end', { id: 'a', settings: null });
  assert.deepEqual([memory.used('start'), memory.used('end')], [null, null]);
});
