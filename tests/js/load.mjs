// Loads files of vae/browser as the app does: joined into one text, which is one ES module.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const BROWSER = new URL('../../vae/browser/', import.meta.url);

// Returns the named functions and constants of the files, whether they are exported or not.
// The default export is "default".
export async function load(files, names = []) {
  const texts = files.map((file) => readFileSync(new URL(file, BROWSER), 'utf-8'));
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  const path = join(folder, 'bundle.mjs');
  try {
    writeFileSync(path, `${texts.join('\n')}\nexport const tested = { ${names.join(', ')} };\n`);
    const module = await import(pathToFileURL(path));
    return { ...module.tested, default: module.default };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
