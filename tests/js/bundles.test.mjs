// Every script that a page sends to the browser parses as the one module it is there.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { BROWSER, load } from './load.mjs';

const PAGES = new URL('../../pages/', import.meta.url);

const under = (folder, ending) =>
  readdirSync(fileURLToPath(folder), { recursive: true }).map((name) => name.replaceAll('\\', '/')).filter((name) => name.endsWith(ending));

// the files of each browser.source("a.js", "b.js") in a Python file
function bundlesOf(python) {
  const calls = [...python.matchAll(/browser\.source\(([^)]*)\)/g)].map(([, names]) => names);
  return calls.map((names) => [...names.matchAll(/"([^"]+\.js)"/g)].map(([, name]) => name)).filter((files) => files.length);
}

const bundles = under(PAGES, '.py').flatMap((name) => bundlesOf(readFileSync(new URL(name, PAGES), 'utf-8')));

for (const files of bundles) {
  test(`${files.at(-1)} parses with what it stands on`, async () => {
    const { default: component } = await load(files);
    assert.equal(typeof component, 'function'); // what Streamlit calls
  });
}

test('every script is part of a bundle', () => {
  const used = new Set(bundles.flat());
  const scripts = under(BROWSER, '.js');
  assert.ok(scripts.length > 10);
  assert.deepEqual(scripts.filter((name) => !used.has(name)), []);
});
