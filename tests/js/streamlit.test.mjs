// What stands between Streamlit and the widgets.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

globalThis.window = globalThis;
globalThis.document = { createElement: () => ({ style: { setProperty() {} } }) };
const { widget, channel } = await load('../../pages/components/bridge/streamlit.js');

const sentAs = (data) => (Array.isArray(data) || data === null ? data : { props: JSON.stringify(data) }); // bytes of a channel, or a widget's props

// a component as Streamlit calls it, run after run, and what it sent
function component(parentElement = { isConnected: true, append() {} }) {
  const sent = [];
  const say = (how) => (event, value) => sent.push([how, event, value]);
  return { parentElement, sent, run: (data) => ({ data: sentAs(data), parentElement, setStateValue: say('state'), setTriggerValue: say('trigger') }) };
}

function mounted() {
  const calls = [];
  const mount = (element, props, emit, mailbox) => {
    calls.push(['mount', props]);
    mount.emit = emit;
    mount.mailbox = mailbox;
    return { update: (next) => calls.push(['update', next]), destroy: () => calls.push(['destroy']) };
  };
  return { mount, calls };
}

test('a widget is mounted once and then updated', () => {
  const { mount, calls } = mounted();
  const { run } = component(), show = widget(mount);
  show(run('a'));
  show(run('b'));
  assert.deepEqual(calls, [['mount', 'a'], ['update', 'b']]);
});

test('an event goes out through the latest run: a question as state, others as triggers', () => {
  const { mount } = mounted();
  const first = component(), later = component(first.parentElement), show = widget(mount);
  show(first.run('a'));
  show(later.run('b'));
  mount.emit('ask', 1);
  mount.emit('commit', 2);
  assert.deepEqual([first.sent, later.sent], [[], [['state', 'ask', 1], ['trigger', 'commit', 2]]]);
});

test('the news of the first picture goes to the address that the server gave, once there is one', () => {
  const { mount } = mounted();
  const { sent, run } = component(), show = widget(mount), called = [];
  globalThis.fetch = (address, { method }) => called.push([address, method]);
  show(run({ painted: '/assets/painted/a' }));
  mount.emit('painted');
  show(run({ painted: null }));
  mount.emit('painted');
  assert.deepEqual([called, sent], [[['/assets/painted/a', 'POST']], []]);
});

test('an early panel of the same widget ends when the picture is painted, and may wait for the next update', () => {
  const { mount } = mounted(), taken = [];
  const { run, sent } = component(), show = widget(mount, 'panel');
  show(run('a'));
  globalThis.latentSpaceExplorer.early = { widget: 'another', takeOver: () => taken.push('another') };
  mount.emit('painted');
  globalThis.latentSpaceExplorer.early = { widget: 'panel', takeOver: (successor) => taken.push(successor) };
  mount.emit('painted');
  const [successor] = taken;
  successor.emit('commit', 1);
  successor.answered(() => taken.push('answered'));
  assert.deepEqual([taken.length, sent], [1, [['trigger', 'commit', 1]]]);
  show(run('b'));
  show(run('c'));
  assert.deepEqual(taken, [successor, 'answered']);
  globalThis.latentSpaceExplorer.early = null;
});

test('a widget is destroyed when its element has left the page, not when a run was overtaken', () => {
  const { mount, calls } = mounted();
  const { parentElement, run } = component();
  const cleanUp = widget(mount)(run('a'));
  cleanUp();
  assert.equal(calls.length, 1);
  parentElement.isConnected = false;
  cleanUp();
  assert.deepEqual(calls.at(-1), ['destroy']);
});

test('widgets and channels of a tab share one mailbox', () => {
  const { mount } = mounted();
  widget(mount)(component().run('a'));
  channel((data, mailbox) => assert.equal(mailbox, mount.mailbox))(component().run([1]));
});

test('a channel confirms what it received, and nothing else', () => {
  const { sent, run } = component();
  channel(() => 'name')(run([1, 2]));
  channel(() => undefined)(run([1, 2]));
  channel(() => assert.fail('there were no bytes'))(run([]));
  channel(() => assert.fail('there were no bytes'))(run(null));
  assert.deepEqual(sent, [['state', 'received', 'name']]);
});
