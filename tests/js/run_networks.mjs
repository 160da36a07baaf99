// Runs networks for tests in Python. Reads a list of jobs from stdin: { weights: path of a safetensors file, and either
// graph, or file: path of a network.json and network: a name of it; calls: [[an array for each input], ...]; plain: true
// for plain JavaScript }.
// Writes { outputs: [[an array for each output], ...] for each call, milliseconds: of the fastest } for each job.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { createModel, createNetwork, readSafetensors } = await load('runtime/network.js');

function run({ graph, file, network, weights, calls, plain = false }) {
  const bytes = readFileSync(weights);
  const built = graph ? createNetwork(graph, readSafetensors(bytes).tensor, { plain })
    : createModel(JSON.parse(readFileSync(file, 'utf-8')), bytes, { plain }).network(network);
  if (built.isPlain !== plain) throw new Error(`it runs in ${built.isPlain ? 'plain JavaScript' : 'WebAssembly'}`);
  let milliseconds = Infinity;
  const outputs = calls.map((inputs) => {
    const start = performance.now();
    const found = built.run(...inputs);
    milliseconds = Math.min(milliseconds, performance.now() - start);
    return found.map((values) => [...values]);
  });
  return { outputs, milliseconds };
}

// JSON has no numbers that are not finite
const written = (key, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf-8')).map(run), written));
