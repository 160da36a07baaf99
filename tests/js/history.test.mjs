// The history entries of a tab, with a window that keeps them in a list.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createEntries } = await load('widgets/history/entries.js');

function createWindow(address) {
  const list = [{ state: null, url: new URL(address, 'http://app') }], listeners = [];
  let at = 0;
  const write = (url) => new URL(url, list[at].url);
  const window = {
    list,
    get at() { return at; },
    location: {
      get pathname() { return list[at].url.pathname; },
      get search() { return list[at].url.search; },
      get hash() { return list[at].url.hash; },
      get href() { return list[at].url.href; },
    },
    history: {
      get state() { return list[at].state; },
      pushState(state, title, url) {
        list.splice(at + 1, Infinity, { state, url: write(url) });
        at += 1;
      },
      replaceState(state, title, url) { list[at] = { state, url: write(url) }; },
    },
    addEventListener: (kind, listener) => listeners.push(listener),
    go(steps) {
      at += steps;
      for (const listener of listeners) listener();
    },
  };
  return window;
}

const run = (page, query, entry, restored = '') => ({ page, query, entry, restored });
const addresses = ({ list }) => list.map(({ url }) => url.pathname + url.search);

function begin(address = '/sliders?z=1') {
  const window = createWindow(address);
  return { window, write: createEntries(window, '/') };
}

test('z replaces an entry; page, model and step add one each', () => {
  const { window, write } = begin();
  write(run('sliders', 'm=a&z=1', 'a '));
  write(run('sliders', 'm=a&z=2', 'a '));
  assert.deepEqual(addresses(window), ['/sliders?m=a&z=2']);
  write(run('sliders', 'm=b&z=0', 'b '));
  window.history.pushState({}, '', '/map'); // Streamlit changes the page
  write(run('map', 'm=b&z=0', 'b '));
  write(run('map', 'm=b&z=0&lesson=kl.1', 'b kl.1'));
  assert.deepEqual(addresses(window), ['/sliders?m=a&z=2', '/sliders?m=b&z=0', '/map?m=b&z=0', '/map?m=b&z=0&lesson=kl.1']);
});

test("Streamlit's entries for a changed query are not added", () => {
  const { window, write } = begin();
  write(run('sliders', 'z=1', 'a '));
  window.history.pushState({}, '', '/sliders?');
  assert.equal(window.list.length, 1);
});

test('Back: nothing but the link of the entry it has reached is written', () => {
  const { window, write } = begin();
  write(run('sliders', 'm=a', 'a '));
  window.history.pushState({}, '', '/map');
  write(run('map', 'm=b', 'b '));
  window.go(-1);
  window.history.pushState({}, '', '/map'); // a run on the page that was left
  window.history.replaceState({}, '', '/sliders');
  write(run('map', 'm=b&z=9', 'b '));
  write(run('sliders', 'm=b', 'b '));
  assert.deepEqual(addresses(window), ['/sliders?m=a', '/map?m=b']);
  assert.equal(window.at, 0);
  write(run('sliders', 'm=a&z=0', 'a ', 'm=a'));
  assert.deepEqual(addresses(window), ['/sliders?m=a&z=0', '/map?m=b']);
});

test('an entry whose model is gone is rewritten in its place', () => {
  const { window, write } = begin();
  write(run('sliders', 'm=a', 'a '));
  write(run('sliders', 'm=b', 'b '));
  window.go(-1);
  write(run('sliders', 'm=c', 'c ', 'm=a'));
  assert.deepEqual(addresses(window), ['/sliders?m=c', '/sliders?m=b']);
});

test('two quick steps back: the answer to the first is not written over the second', () => {
  const { window, write } = begin();
  for (const model of 'abc') write(run('sliders', `m=${model}`, `${model} `));
  window.go(-1);
  window.go(-1);
  write(run('sliders', 'm=b', 'b ', 'm=b'));
  write(run('sliders', 'm=a', 'a ', 'm=a'));
  assert.deepEqual(addresses(window), ['/sliders?m=a', '/sliders?m=b', '/sliders?m=c']);
});

test('an entry is known in any encoding, and embedding and fragment stay in the address', () => {
  const { window, write } = begin('/sliders?embed=true&z=1,2#top');
  write(run('sliders', 'z=1%2C2', 'a '));
  assert.equal(window.location.href, 'http://app/sliders?z=1%2C2&embed=true#top');
  window.go(0);
  write(run('sliders', 'z=0', 'a ', 'z=1,2'));
  assert.equal(window.location.href, 'http://app/sliders?z=0&embed=true#top');
});

test('an entry that no run answers blocks for ten seconds only', (t) => {
  const begun = Date.now(), { now } = Date;
  t.after(() => { Date.now = now; });
  Date.now = () => begun;
  const { window, write } = begin();
  write(run('sliders', 'z=1', 'a '));
  window.go(0);
  write(run('sliders', 'z=2', 'a '));
  assert.deepEqual(addresses(window), ['/sliders?z=1']);
  Date.now = () => begun + 10_000;
  write(run('sliders', 'z=2', 'a '));
  assert.deepEqual(addresses(window), ['/sliders?z=2']);
});

test('the link of a tab outlives its session', () => {
  const { window, write } = begin('/sliders?z=1');
  assert.equal(write({ ...run('sliders', 'z=1', 'a '), session: 'one' }), '');
  assert.equal(write({ ...run('sliders', 'z=2', 'a '), session: 'one' }), '');
  assert.equal(write({ ...run('sliders', 'z=1', 'a '), session: 'two' }), '?z=2'); // the query that Streamlit knows
  assert.deepEqual(addresses(window), ['/sliders?z=2']);
  assert.equal(write({ ...run('sliders', 'z=2', 'a '), session: 'two' }), '');
  assert.equal(write({ ...run('sliders', 'z=3', 'a '), session: 'two' }), '');
  assert.deepEqual(addresses(window), ['/sliders?z=3']);
  assert.equal(write({ ...run('sliders', 'z=3', 'a '), session: 'three' }), ''); // nothing is lost
});
