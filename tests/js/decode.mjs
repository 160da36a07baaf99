// Decodes for tests/unit/browser: reads [{ weights (base64), zs, ys }, ...] from stdin, writes their pictures as JSON.
import { readFileSync } from 'node:fs';

import { load } from './load.mjs';

const { createDecoder } = await load('runtime/network.js');
const pictures = JSON.parse(readFileSync(0, 'utf-8')).map(({ weights, zs, ys }) => {
  const decoder = createDecoder(Uint8Array.from(Buffer.from(weights, 'base64')));
  return zs.map((z, i) => [...decoder.decode(z, ys[i])]);
});
console.log(JSON.stringify(pictures));
