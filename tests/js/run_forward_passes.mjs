// Runs forward passes for tests in Python. Reads a list of jobs from stdin: { file: path of a network.json, weights: path
// of a safetensors file, likelihood: in place of the file's, plain: true for plain JavaScript, in double precision,
// calls: [{ x (H * W * C), eps, y }, ...] }.
// Writes, for each call of each job, the forward pass with typed arrays as lists.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { createModel } = await load('runtime/network.js');
const { forwardPass, isFinitePass, notSupported } = await load('runtime/forward_pass.js');

function run({ file, weights, likelihood, plain, calls }) {
  const content = JSON.parse(readFileSync(file, 'utf-8'));
  const model = createModel({ ...content, likelihood: likelihood ?? content.likelihood }, readFileSync(weights), { plain });
  if (notSupported(model)) throw new Error(notSupported(model));
  return calls.map(({ x, eps, y }) => {
    const pass = forwardPass(model, x, eps, y);
    return { ...pass, finite: isFinitePass(pass) };
  });
}

const written = (key, value) => {
  if (ArrayBuffer.isView(value)) return [...value];
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
};
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf-8')).map(run), written));
