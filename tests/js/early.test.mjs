// The panel before Streamlit has loaded, and how the page's own takes over.
import assert from 'node:assert/strict';
import test, { mock } from 'node:test';

import { load } from './load.mjs';

globalThis.window = globalThis;
globalThis.innerWidth = 1440;
globalThis.location = { pathname: '/sliders', search: '?model=m' };
globalThis.localStorage = { getItem: (name) => globalThis.kept[name] ?? null, setItem: (name, value) => { globalThis.kept[name] = value } };
globalThis.document = { createElement: () => element(), body: { append: (child) => globalThis.onPage.add(child) } };

function element() {
  const made = {
    style: { setProperty() {} }, append() {}, remove: () => globalThis.onPage.delete(made),
    getBoundingClientRect: () => ({ top: 10, left: 20, width: 30 }),
    shadowRoot: { panel: { holding: false }, activeElement: null, querySelector: () => null, querySelectorAll: () => made.controls },
    controls: [],
  };
  return made;
}

const { begin } = await load('../../pages/components/bridge/early.js');

// an early panel that has been mounted, with what its widget was told
async function early({ status = 200 } = {}) {
  globalThis.kept = {};
  globalThis.onPage = new Set();
  globalThis.latentSpaceExplorer = undefined;
  location.pathname = '/sliders';
  globalThis.fetch = async (address) => ({ status, json: async () => ({ address, z: [0], y: 0, version: 1 }) });
  const widget = { updates: [], destroyed: false };
  const mount = (place, props, emit) => {
    Object.assign(widget, { place, props, emit });
    emit('painted');
    return { update: (next) => widget.updates.push(next), destroy: () => { widget.destroyed = true } };
  };
  await begin(mount, { widget: 'live_panel', address: '/early/sliders', colours: { '--text-color': 'red' } });
  return { widget, mailbox: globalThis.latentSpaceExplorer };
}

function successor() {
  const sent = [];
  return { sent, element: element(), emit: (event, value) => sent.push([event, value]), answered(then) { this.then = then } };
}

test('it shows what the server says of the link, and ends as soon as the page has painted', async () => {
  const { widget, mailbox } = await early(), next = successor();
  assert.equal(widget.props.address, '/early/sliders?model=m');
  assert.equal(onPage.size, 1);
  mailbox.early.takeOver(next);
  assert.deepEqual([next.sent, onPage.size, widget.destroyed, mailbox.early], [[], 0, true, null]);
  assert.deepEqual(JSON.parse(kept['early sliders 1440']), { top: 10, left: 20, width: 30 });
});

test('a link that needs a session gets none', async () => {
  const { widget, mailbox } = await early({ status: 204 });
  assert.deepEqual([widget.props, onPage.size, mailbox.early], [undefined, 0, null]);
});

test('a page that is faster than the answer ends it', async () => {
  let answer, mounted = false;
  Object.assign(globalThis, { kept: {}, onPage: new Set(), latentSpaceExplorer: undefined, fetch: () => new Promise((next) => { answer = next }) });
  const done = begin(() => { mounted = true }, { widget: 'live_panel', address: '/early/sliders', colours: {} });
  globalThis.latentSpaceExplorer.early.takeOver(successor());
  answer({ status: 200, json: async () => ({}) });
  await done;
  assert.equal(mounted, false);
});

test('a release is answered at once, and the last one goes to the page', async () => {
  const { widget, mailbox } = await early(), next = successor();
  widget.emit('commit', { panel: 'p', commit: 1, z: [1], y: 0 });
  widget.emit('random', { level: '' });
  widget.emit('commit', { panel: 'p', commit: 2, z: [2], y: 0 });
  await new Promise((then) => setTimeout(then, 5));
  assert.deepEqual(widget.updates.map(({ z, version, echo }) => [z, version, echo.commit]), [[[1], 2, 1], [[2], 3, 2]]);
  mailbox.early.takeOver(next);
  assert.deepEqual(next.sent.map(([event, value]) => [event, value.commit]), [['random', undefined], ['commit', 2]]);
  assert.equal(onPage.size, 1); // until the page shows that point
  next.then();
  assert.equal(onPage.size, 0);
});

test('a release while the page takes over goes to the page too', async () => {
  const { widget, mailbox } = await early(), next = successor();
  widget.emit('commit', { panel: 'p', commit: 1, z: [1], y: 0 });
  mailbox.early.takeOver(next);
  widget.emit('commit', { panel: 'p', commit: 2, z: [2], y: 0 });
  next.then();
  assert.deepEqual([next.sent.map(([, value]) => value.commit), onPage.size], [[1, 2], 1]);
  next.then();
  assert.equal(onPage.size, 0);
});

test('a hand on a slider keeps it, and the focus goes on to the same control', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const { widget, mailbox } = await early(), next = successor();
  const focused = [];
  widget.place.controls = ['a', 'b'];
  next.element.controls = [null, { focus: () => focused.push('b') }];
  widget.place.shadowRoot.panel.holding = true;
  mailbox.early.takeOver(next);
  assert.equal(onPage.size, 1);
  widget.place.shadowRoot.panel.holding = false;
  widget.place.shadowRoot.activeElement = 'b';
  mock.timers.tick(100);
  assert.deepEqual([onPage.size, focused], [0, ['b']]);
  mock.timers.reset();
});
