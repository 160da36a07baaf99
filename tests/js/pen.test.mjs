// The pen: which pointer draws, what a stroke holds, undo, the keyboard.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

globalThis.window ??= { devicePixelRatio: 1 };
globalThis.ResizeObserver ??= class {
  observe() {}
  disconnect() {}
};
const { createPen } = await load('runtime/pen.js');

// A pad of 100 x 100 px out of view, which is never painted, and a log of what it calls.
function pad(options = {}) {
  const canvas = Object.assign(new EventTarget(), { clientWidth: 0, getBoundingClientRect: () => ({ left: 10, top: 20, width: 100, height: 100 }) });
  const called = { change: 0, release: 0 };
  const note = (name) => () => (called[name] += 1);
  const pen = createPen(canvas, { width: () => 0.1, change: note('change'), release: note('release'), ...options }, new AbortController().signal);
  const send = (name, fields) => canvas.dispatchEvent(Object.assign(new Event(name, { cancelable: true }), fields));
  const pointer = (name, id, x, y, more = {}) => send(`pointer${name}`, { pointerId: id, pointerType: 'mouse', button: 0, clientX: 10 + x, clientY: 20 + y, ...more });
  const points = () => pen.strokes.map((stroke) => stroke.points);
  return { canvas, pen, called, send, pointer, points, key: (key, more) => send('keydown', { key, ...more }) };
}

test('a stroke is in fractions of the pad, with every coalesced place', () => {
  const { pen, called, pointer } = pad();
  pointer('down', 1, 10, 20);
  pointer('move', 1, 30, 40, { getCoalescedEvents: () => [{ clientX: 30, clientY: 50 }, { clientX: 40, clientY: 60 }] });
  pointer('move', 1, 50, 50, { getCoalescedEvents: () => [] }); // as Safari answers
  assert.equal(called.release, 0);
  pointer('up', 1, 50, 50);
  assert.deepEqual(pen.strokes, [{ width: 0.1, points: [[0.1, 0.2], [0.2, 0.3], [0.3, 0.4], [0.5, 0.5]] }]);
  assert.deepEqual(called, { change: 3, release: 1 });
});

test('a pad that moves on the page does not bend the stroke', () => {
  const { canvas, pointer, points } = pad();
  pointer('down', 1, 10, 20);
  canvas.getBoundingClientRect = () => ({ left: 10, top: 5, width: 100, height: 100 });
  pointer('move', 1, 30, 20);
  pointer('up', 1, 30, 20);
  pointer('down', 1, 10, 20);
  pointer('up', 1, 10, 20);
  assert.deepEqual(points(), [[[0.1, 0.2], [0.3, 0.2]], [[0.1, 0.35]]]);
});

test('a tap is a dot', () => {
  const { pointer, points } = pad();
  pointer('down', 1, 50, 50);
  pointer('up', 1, 50, 50);
  assert.deepEqual(points(), [[[0.5, 0.5]]]);
});

test('a second finger neither draws nor ends the stroke', () => {
  const { pen, called, pointer, points } = pad(), touch = { pointerType: 'touch' };
  pointer('down', 1, 10, 10, touch);
  pointer('down', 2, 90, 90, touch);
  pointer('move', 2, 80, 80, touch);
  pointer('move', 1, 20, 20, touch);
  pointer('up', 2, 80, 80, touch);
  pen.undo(); // not in the middle of a stroke
  pen.clear();
  pointer('move', 1, 30, 30, touch);
  pointer('up', 1, 30, 30, touch);
  assert.deepEqual(points(), [[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]]);
  assert.equal(called.release, 1);
});

test('the pen replaces the palm that came before it, and touches beside it are ignored', () => {
  const { pen, pointer, points } = pad();
  pointer('down', 1, 90, 90, { pointerType: 'touch' });
  pointer('move', 1, 91, 91, { pointerType: 'touch' });
  pointer('down', 2, 10, 10, { pointerType: 'pen' });
  pointer('move', 1, 95, 95, { pointerType: 'touch' });
  pointer('up', 2, 10, 10, { pointerType: 'pen' });
  pointer('down', 3, 90, 90, { pointerType: 'touch' });
  pointer('up', 3, 90, 90, { pointerType: 'touch' });
  assert.deepEqual(points(), [[[0.1, 0.1]]]);
  pen.undo();
  assert.deepEqual([pen.strokes, pen.canUndo], [[], false]);
});

test('only the main button draws, and only while it is down', () => {
  const { pen, pointer } = pad();
  pointer('down', 1, 10, 10, { button: 2 });
  pointer('move', 1, 20, 20);
  pointer('up', 1, 20, 20);
  assert.deepEqual([pen.strokes, pen.canUndo], [[], false]);
});

test('undo takes back one stroke, and a clear', () => {
  const { pen, called, pointer, points } = pad();
  for (const x of [10, 20]) {
    pointer('down', 1, x, x);
    pointer('up', 1, x, x);
  }
  pen.clear();
  assert.deepEqual([points(), pen.canUndo], [[], true]);
  pen.undo();
  assert.deepEqual(points(), [[[0.1, 0.1]], [[0.2, 0.2]]]);
  pen.undo();
  assert.deepEqual(points(), [[[0.1, 0.1]]]);
  assert.equal(called.release, 5);
  pen.set([{ width: 0.2, points: [[0, 0]] }]);
  assert.equal(pen.canUndo, false);
});

test('a stroke that the system ends is kept', () => {
  const { called, pointer, points } = pad();
  pointer('down', 1, 10, 10);
  pointer('cancel', 1, 0, 0);
  pointer('move', 1, 50, 50);
  assert.deepEqual([points(), called.release], [[[[0.1, 0.1]]], 1]);
});

test('the keyboard draws: arrows move, the space bar lowers and lifts the pen', () => {
  const { called, key, points, send } = pad();
  key('ArrowRight');
  key(' ');
  key(' ', { repeat: true });
  key('ArrowRight');
  key('ArrowDown');
  key(' ');
  key('ArrowLeft');
  assert.deepEqual([points(), called.release], [[[[0.52, 0.5], [0.54, 0.5], [0.54, 0.52]]], 1]);
  key('Tab');
  key('z', { ctrlKey: true });
  key(' ');
  send('blur'); // ends the stroke
  assert.deepEqual([points().length, called.release], [2, 2]);
});
