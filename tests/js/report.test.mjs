// What a learner's browser keeps, and the file of a report, which comes back from strangers.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { KEY, addSteps, checked, forget, isNews, read, write } = await load('widgets/progress/store.js');
const { MAX_BYTES, fromFile, ownWork, readFile, toFile } = await load('widgets/report/file.js');
const { checked: checkedBookmarks } = await load('widgets/bookmarks/store.js');

function createStorage(content = {}) {
  const kept = { ...content };
  const storage = { getItem: (key) => kept[key] ?? null, setItem: (key, value) => { kept[key] = value; }, removeItem: (key) => { delete kept[key]; } };
  return () => storage;
}
const blocked = () => { throw new Error('blocked'); };
const NOTHING = { steps: {}, sentences: {} };

test('steps are added, a revealed one stays, and all are forgotten', () => {
  const storage = createStorage(), step = (prediction, revealed) => ({ 'kl.1': { prediction, revealed } });
  addSteps(storage, step('a', false));
  addSteps(storage, step('b', true));
  addSteps(storage, step('c', true));
  assert.deepEqual(read(storage).steps, step('b', true));
  write(storage, { ...read(storage), sentences: { 'kl.1': 'Because.' } });
  addSteps(storage, { 'kl.2': { prediction: 'd', revealed: false } });
  assert.deepEqual(read(storage).sentences, { 'kl.1': 'Because.' });
  forget(storage);
  assert.deepEqual(read(storage), NOTHING);
});

test('what the browser keeps is news where the host lacks it or contradicts a revealed prediction', () => {
  const step = (prediction, revealed) => ({ 'kl.1': { prediction, revealed } });
  assert.ok(isNews(step('a', false), {}));
  for (const known of [step('a', false), step('b', false), step('b', true)]) assert.ok(isNews(step('a', true), known));
  assert.ok(!isNews(step('a', true), step('a', true)));
  for (const known of [step('b', false), step('b', true)]) assert.ok(!isNews(step('a', false), known));
  assert.ok(!isNews({}, step('a', true)));
});

test('a blocked storage and strange content give nothing', () => {
  assert.deepEqual(read(blocked), NOTHING);
  assert.equal(write(blocked, NOTHING), false);
  addSteps(blocked, { 'kl.1': { prediction: 'a', revealed: true } });
  forget(blocked);
  const strange = [
    '{', '1', 'null', '[]', '{"steps": []}', '{"steps": {"kl.1": 1, "__proto__": {"prediction": "a", "revealed": true}}}', '{"steps": {"kl.1": {"prediction": 3, "revealed": true}}}',
    '{"steps": {"<b>.1": {"prediction": "a", "revealed": true}}}', `{"steps": {"kl.1": {"prediction": "${'a'.repeat(401)}", "revealed": true}}}`,
    '{"sentences": {"kl.1": ["a"], "kl.2": ""}}',
  ];
  for (const content of strange) assert.deepEqual(read(createStorage({ [KEY]: content })), NOTHING, content);
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}.1`, { prediction: 'a', revealed: true, more: 'x' }]));
  assert.equal(Object.keys(checked({ steps: many }).steps).length, 500);
  assert.deepEqual(checked({ steps: many }).steps['k0.1'], { prediction: 'a', revealed: true });
});

test('a report opens again as it was saved', () => {
  const work = { steps: { 'kl.1': { prediction: 'a', revealed: true } }, sentences: { 'kl.1': '<script>' }, bookmarks: [{ name: 'a', link: 'map?z=1' }] };
  assert.deepEqual(fromFile(toFile(work)), work);
  assert.ok(!/"name": "(?!a")/.test(toFile(work)), 'no name but the bookmark’s');
});

test('sentences stay where storage is blocked', () => {
  const first = ownWork(null, NOTHING, {}, []);
  first.sentences['kl.1'] = 'Because.';
  assert.deepEqual(ownWork(first, NOTHING, { 'kl.1': { prediction: 'a', revealed: false } }, []).sentences, { 'kl.1': 'Because.' });
  assert.deepEqual(ownWork(first, { steps: {}, sentences: { 'kl.1': 'So.' } }, {}, []).sentences, { 'kl.1': 'So.' });
});

test('a file that is no report is one sentence', async () => {
  for (const text of ['', '{', '[]', 'null', '{}', '{"format": "other"}', '\u0000']) assert.throws(() => fromFile(text), /^Error: This file is not a report of the latent-space explorer\.$/);
  assert.throws(() => fromFile(toFile({}).replace('"version": 1', '"version": 2')), /another version/);
  assert.deepEqual(fromFile(toFile({ steps: 3, sentences: null, bookmarks: 'x' })), { ...NOTHING, bookmarks: [] });
  await assert.rejects(readFile({ size: MAX_BYTES + 1, text: () => assert.fail('is not read') }), /larger than 4 MB/);
});

// A PNG of a width and a height, as far as its header.
function png(width, height) {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32BE(0x89504e47, 0);
  bytes.write('IHDR', 12, 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return `data:image/png;base64,${bytes.toString('base64')}`;
}

test('a bookmark has a small PNG or no picture', () => {
  const pictureOf = (picture) => checkedBookmarks([{ name: 'a', link: 'map?z=1', picture }])[0].picture;
  assert.equal(pictureOf(png(28, 28)), png(28, 28));
  const bad = [png(20000, 20000), png(0, 1), png(28, 28).replace('png;', 'svg+xml;'), `${png(28, 28)}"onerror=`, 'https://example.org/x.png', 3, null, png(28, 28) + 'A'.repeat(60000), 'data:image/png;base64,AAAA'];
  for (const picture of bad) assert.equal(pictureOf(picture), undefined, String(picture).slice(0, 60));
});
