// The code of a picture that the browser encodes itself.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createMailbox } = await load('runtime/mailbox.js');
const { codeOf } = await load('widgets/picture_input/code.js');

// two pixels of three channels; the code is the first pixel, in levels, and the class
function mailboxOf({ numClasses = 0, networks = ['encode', 'classify'] } = {}) {
  const mailbox = createMailbox();
  const decoder = {
    numClasses, height: 1, width: 2, channels: 3, has: (name) => networks.includes(name), classify: () => Float64Array.of(1, 5, 2),
    encode: (x, y) => ({ mean: Float64Array.of(255 * x[0], 255 * x[1], 255 * x[2], y) }),
  };
  mailbox.models.set('a model 1f', { decoder });
  mailbox.models.set('on its way', { decoder: null });
  return mailbox;
}
const X = Float32Array.of(0.1, 0.9, 0.2, 0.9, 0.3, 0.9); // channel first

test('the code is that of the levels that are sent, channel last', () => {
  assert.deepEqual(codeOf(mailboxOf(), 'a model 1f', X), { weights: 'a model 1f', z: [26, 51, 77, 0], y: null });
});

test('a conditional model encodes under the most likely class', () => {
  assert.deepEqual(codeOf(mailboxOf({ numClasses: 3 }), 'a model 1f', X), { weights: 'a model 1f', z: [26, 51, 77, 1], y: 1 });
});

test('without the model or one of its networks nothing is sent', () => {
  for (const weights of ['', 'another', 'on its way', undefined]) assert.deepEqual(codeOf(mailboxOf(), weights, X), {});
  assert.deepEqual(codeOf(mailboxOf({ networks: [] }), 'a model 1f', X), {});
  assert.deepEqual(codeOf(mailboxOf({ numClasses: 3, networks: ['encode'] }), 'a model 1f', X), {});
});
