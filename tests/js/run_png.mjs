// Encodes a PNG for tests in Python. Reads { picture: { rgba, width, height }, options } from stdin, and writes the file.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { encodePng } = await load('runtime/png.js');
const { picture, options } = JSON.parse(readFileSync(0, 'utf-8'));

process.stdout.write(Buffer.from(await (await encodePng(picture, options)).arrayBuffer()));
