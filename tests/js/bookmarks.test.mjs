// Bookmarks in a storage that may be blocked, or hold what another program wrote.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { KEY, MAX_BOOKMARKS, add, asList, currentLink, read, remove } = await load('widgets/bookmarks/store.js');

function createStorage(content = {}) {
  const kept = { ...content };
  const storage = { getItem: (key) => kept[key] ?? null, setItem: (key, value) => { kept[key] = value; } };
  return () => storage;
}

test('bookmarks are added, replaced by name and removed', () => {
  const storage = createStorage();
  add(storage, ' seven ', 'sliders?z=1');
  add(storage, 'three', 'map?z=2');
  assert.deepEqual(add(storage, 'seven', 'sliders?z=3'), [{ name: 'seven', link: 'sliders?z=3' }, { name: 'three', link: 'map?z=2' }]);
  assert.deepEqual(remove(storage, 'seven'), [{ name: 'three', link: 'map?z=2' }]);
  assert.deepEqual(read(storage), [{ name: 'three', link: 'map?z=2' }]);
});

test('a link that cannot be kept adds nothing', () => {
  const storage = createStorage();
  add(storage, 'seven', 'sliders?z=1');
  for (const link of [`sliders?z=${'1,'.repeat(10_000)}`, 'https://example.org/']) {
    assert.deepEqual(add(storage, 'seven', link), [{ name: 'seven', link: 'sliders?z=1' }]);
  }
});

test('no more are kept than MAX_BOOKMARKS', () => {
  const storage = createStorage();
  for (let i = 0; i <= MAX_BOOKMARKS; i += 1) add(storage, `${i}`, 'sliders?z=1');
  assert.equal(read(storage).length, MAX_BOOKMARKS);
  assert.equal(read(storage)[0].name, `${MAX_BOOKMARKS}`);
});

test('a blocked storage and strange content give no bookmarks', () => {
  const blocked = () => { throw new Error('blocked'); };
  assert.deepEqual(read(blocked), []);
  assert.equal(add(blocked, 'a', 'sliders?z=1'), null);
  for (const content of ['{', '1', 'null', '{"a": 1}', '[null, 1, {"name": "a"}]']) {
    assert.deepEqual(read(createStorage({ [KEY]: content })), []);
  }
  const foreign = [{ name: 'a', link: 'javascript:alert(1)' }, { name: 'b', link: '//example.org/?z=1' }, { name: 'c', link: '?z=1' }];
  assert.deepEqual(read(createStorage({ [KEY]: JSON.stringify(foreign) })), [foreign[2]]);
});

test('a link is taken from the address bar, and the list has whole addresses', () => {
  const location = { pathname: '/app/sliders', search: '?model=a&z=1%2C2&own=b:1:0&answer=2&revealed=yes&embed=true' };
  assert.equal(currentLink(location, '/app/'), 'sliders?model=a&z=1%2C2');
  assert.equal(currentLink({ pathname: '/', search: '?z=1' }, '/'), '?z=1');
  assert.equal(asList([{ name: 'a b', link: 'map?z=1' }], 'http://host/app/'), 'a b\thttp://host/app/map?z=1\n');
});
