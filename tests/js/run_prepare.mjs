// Prepares pictures for tests in Python. Reads a list of jobs from stdin: { width, height, rgba: base64, shape,
// preparation, options }. Writes { x, inverted, found, candidates: [{ box, x }], stages: [[title, width, height]],
// milliseconds } for each.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { prepare } = await load('runtime/prepare.js');

function run({ width, height, rgba, shape, preparation, options }) {
  const picture = { width, height, data: new Uint8ClampedArray(Buffer.from(rgba, 'base64')) };
  const start = performance.now();
  const { x, inverted, found, candidates, stages } = prepare(picture, shape, preparation, options);
  const milliseconds = performance.now() - start;
  return {
    x: [...x], inverted, found, candidates: candidates.map((one) => ({ box: one.box, x: [...one.x] })),
    stages: stages.map(({ title, picture: shown }) => [title, shown.width, shown.height]), milliseconds,
  };
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf-8')).map(run)));
