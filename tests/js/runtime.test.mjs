// Messages, questions and pixels: what every part of the browser stands on.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createMailbox, announce, hear, readMessage } = await load('runtime/mailbox.js');
const { createQuestions, ANSWER_TIMEOUT } = await load('runtime/questions.js');
const { fill, pictureOf } = await load('runtime/pixels.js');

// ---- mailbox

function message(header, payload) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + text.length + payload.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(payload, 4 + text.length);
  return bytes;
}

test('a message is a header and its bytes', () => {
  const { header, payload } = readMessage(message({ kind: 'β' }, [1, 2, 3]));
  assert.deepEqual(header, { kind: 'β' });
  assert.deepEqual([...payload], [1, 2, 3]);
});

test('a message may be a view into a larger buffer', () => {
  const inner = message({ n: 1 }, [7]);
  const larger = new Uint8Array(inner.length + 8);
  larger.set(inner, 5);
  const { header, payload } = readMessage(larger.subarray(5, 5 + inner.length));
  assert.deepEqual([header, ...payload], [{ n: 1 }, 7]);
});

// ---- questions

// createQuestions with a clock that the test moves
function asked(t) {
  const asking = { sent: [], clock: 0, timers: new Map(), mailbox: createMailbox(), abort: new AbortController() };
  t.mock.method(performance, 'now', () => asking.clock);
  t.mock.method(globalThis, 'setTimeout', (run, after) => {
    asking.timers.set(run, asking.clock + after);
    return run;
  });
  t.mock.method(globalThis, 'clearTimeout', (run) => asking.timers.delete(run));
  asking.wait = (milliseconds) => {
    asking.clock += milliseconds;
    for (const [run, at] of asking.timers) {
      if (at <= asking.clock && asking.timers.delete(run)) run();
    }
  };
  asking.questions = createQuestions(asking.mailbox, (question) => asking.sent.push(question), asking.abort.signal);
  asking.answer = (seq) => announce(asking.mailbox, 'answer', { panel: asking.questions.id, seq });
  asking.seqs = () => asking.sent.map(({ seq }) => seq);
  return asking;
}

test('a question is sent at once and its answer used', (t) => {
  const { questions, sent, answer } = asked(t);
  const used = [];
  questions.ask(() => ({ z: [1] }), ({ seq }) => used.push(seq));
  assert.deepEqual(sent, [{ panel: questions.id, seq: 1, z: [1] }]);
  answer(1);
  assert.deepEqual(used, [1]);
});

test('one question is in flight, and the latest of the others follows', (t) => {
  const { questions, sent, answer } = asked(t);
  for (const name of ['first', 'skipped', 'last']) questions.ask(() => ({ name }), () => {});
  assert.deepEqual(sent.map(({ name }) => name), ['first']);
  answer(1);
  assert.deepEqual(sent.map(({ name }) => name), ['first', 'last']);
});

test('a question is made when it is sent, not when it is asked', (t) => {
  const { questions, sent, answer } = asked(t);
  let z = 0;
  questions.ask(() => ({ z }), () => {});
  questions.ask(() => ({ z }), () => {});
  z = 5;
  answer(1);
  assert.equal(sent[1].z, 5);
});

test('answers to others and to earlier questions are left alone', (t) => {
  const { questions, answer, mailbox } = asked(t);
  const used = [];
  questions.ask(() => ({}), () => used.push('used'));
  announce(mailbox, 'answer', { panel: 'another', seq: 1 });
  answer(0);
  assert.deepEqual(used, []);
  questions.forget();
  answer(1);
  assert.deepEqual(used, []);
});

test('a question without an answer is given up after a time, not before', (t) => {
  const { questions, wait, seqs } = asked(t);
  questions.ask(() => ({}), () => {});
  questions.ask(() => ({}), () => {});
  wait(ANSWER_TIMEOUT - 1);
  assert.deepEqual(seqs(), [1]);
  wait(2);
  assert.deepEqual(seqs(), [1, 2]);
});

test('an answer that comes after its question was given up is not used', (t) => {
  const { questions, wait, answer } = asked(t);
  const used = [];
  questions.ask(() => ({}), () => used.push(1));
  wait(ANSWER_TIMEOUT + 1);
  questions.ask(() => ({}), () => used.push(2));
  answer(1);
  answer(2);
  assert.deepEqual(used, [2]);
});

test('a widget that was destroyed asks no more', (t) => {
  const { questions, abort, wait, seqs } = asked(t);
  questions.ask(() => ({}), () => {});
  questions.ask(() => ({}), () => {});
  abort.abort();
  wait(ANSWER_TIMEOUT + 1);
  assert.deepEqual(seqs(), [1]);
});

test('whenFree runs once nothing waits', (t) => {
  const { questions, answer } = asked(t);
  let free = 0;
  questions.whenFree = () => free++;
  questions.ask(() => ({}), () => {});
  questions.ask(() => ({}), () => {});
  answer(1);
  assert.equal(free, 0);
  answer(2);
  assert.equal(free, 1);
});

test('news of a kind is heard until the signal aborts, in its own mailbox', () => {
  const mailbox = createMailbox(), abort = new AbortController(), heard = [];
  hear(mailbox, 'model', (name) => heard.push(name), abort.signal);
  announce(mailbox, 'model', 'a');
  announce(mailbox, 'sheet', 'b');
  announce(createMailbox(), 'model', 'c');
  abort.abort();
  announce(mailbox, 'model', 'd');
  assert.deepEqual(heard, ['a']);
});

// ---- pixels

test('grey values fill red, green and blue', () => {
  const rgba = new Uint8ClampedArray(8);
  assert.equal(fill(rgba, [0, 1], 255, 1), true);
  assert.deepEqual([...rgba], [0, 0, 0, 255, 255, 255, 255, 255]);
});

test('three channels keep their colours, bytes stay as they are', () => {
  const rgba = new Uint8ClampedArray(4);
  assert.equal(fill(rgba, [10, 20, 30], 1, 3), true);
  assert.deepEqual([...rgba], [10, 20, 30, 255]);
});

for (const value of [NaN, Infinity, -Infinity]) {
  test(`a pixel of ${value} is transparent and is told`, () => {
    const rgba = new Uint8ClampedArray(8);
    assert.equal(fill(rgba, [0.5, 0.5, 0.5, 0.5, value, 0.5], 255, 3), false);
    assert.deepEqual([rgba[3], rgba[7]], [255, 0]);
  });
}

test('the pictures of an answer are cut out of its bytes', () => {
  const answer = { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), count: 3, missing: [1] };
  assert.deepEqual([...pictureOf(answer, 2)], [5, 6]);
  assert.deepEqual([...pictureOf(answer, 1)], [NaN, NaN]);
});
