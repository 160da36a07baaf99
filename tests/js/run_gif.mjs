// Encodes GIFs for tests in Python. Reads a list of jobs from stdin: { frames: [base64], options }. Writes each file in
// base64.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { encodeGif } = await load('runtime/gif.js');

const run = ({ frames, options }) => Buffer.from(encodeGif(frames.map((frame) => Buffer.from(frame, 'base64')), options)).toString('base64');

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf-8')).map(run)));
