// Shuffles the letters of texts: [[text, seed]] on standard input, the shuffled texts on standard output.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { shuffled } = await load('runtime/random.js');
const cases = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(cases.map(([text, seed]) => shuffled([...text], seed).join(''))));
