// A browser that refuses WebAssembly: networks run in plain JavaScript. In a file, and so a process, of its own.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

class Refused extends Error {}
WebAssembly.Module = class { constructor() { throw new Refused("violates the policy 'unsafe-eval'"); } };
const { createNetwork } = await load('runtime/network.js');
const { whyNoSimd } = await load('runtime/network/simd.js');

test('a refused module is no error: the network runs in plain JavaScript and says so', () => {
  const graph = {
    inputs: [{ name: 'x', shape: [1, 2] }], outputs: [{ name: 'y', node: 'y' }],
    nodes: [{ name: 'y', op: 'linear', inputs: ['x', '@w'] }],
  };
  const network = createNetwork(graph, () => ({ shape: [1, 2], values: [3, 4] }));
  assert.equal(network.isPlain, true);
  assert.deepEqual([...network.run([1, 10])[0]], [43]);
  assert.match(whyNoSimd(), /policy/);
});
