// Which keys are shortcuts, and which are left to a field, a pad or a slider.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { action } = await load('widgets/shortcuts/keys.js');

function pressed(key, target = { tagName: 'BODY' }, options = {}) {
  return { key, defaultPrevented: false, repeat: false, composedPath: () => [target, { tagName: 'HTML' }], ...options };
}
const ctrl = { ctrlKey: true };

test('Ctrl+Z or Command+Z undoes and Ctrl+Shift+Z or Ctrl+Y redoes, outside text fields and pads', () => {
  assert.equal(action(pressed('z', undefined, ctrl)), 'undo');
  assert.equal(action(pressed('z', undefined, { metaKey: true })), 'undo');
  assert.equal(action(pressed('z', { tagName: 'INPUT', type: 'range' }, ctrl)), 'undo');
  for (const target of [{ tagName: 'INPUT', type: 'text' }, { tagName: 'TEXTAREA' }, { tagName: 'CANVAS' }, { tagName: 'DIV', isContentEditable: true }]) {
    assert.equal(action(pressed('z', target, ctrl)), undefined);
    assert.equal(action(pressed('y', target, ctrl)), undefined);
  }
  for (const modifier of ['ctrlKey', 'metaKey']) assert.equal(action(pressed('Z', undefined, { [modifier]: true, shiftKey: true })), 'redo');
  assert.equal(action(pressed('y', undefined, ctrl)), 'redo');
  assert.equal(action(pressed('y', undefined, { metaKey: true })), undefined); // the history of some browsers
  assert.equal(action(pressed('z', undefined, { ctrlKey: true, altKey: true })), undefined);
  assert.equal(action(pressed('z')), undefined);
});

test('P toggles the projector, and the arrows take steps in it alone', () => {
  assert.equal(action(pressed('p')), 'projector');
  assert.equal(action(pressed('P')), 'projector');
  assert.equal(action(pressed('p', undefined, ctrl)), undefined); // prints
  assert.equal(action(pressed('p', { tagName: 'INPUT', type: 'text' })), undefined);
  assert.equal(action(pressed('Escape'), true), 'projector');
  assert.equal(action(pressed('Escape'), false), undefined);
  assert.equal(action(pressed('ArrowRight'), true), 'next');
  assert.equal(action(pressed('ArrowLeft'), true), 'previous');
  assert.equal(action(pressed('ArrowRight'), false), undefined);
  assert.equal(action(pressed('ArrowRight', { tagName: 'INPUT', type: 'range' }), true), undefined);
  assert.equal(action(pressed('ArrowRight', { tagName: 'CANVAS' }), true), undefined);
});

test('a key that is held down or used by a widget does nothing', () => {
  assert.equal(action(pressed('p', undefined, { repeat: true })), undefined);
  assert.equal(action(pressed('z', undefined, { ...ctrl, defaultPrevented: true })), undefined);
});
