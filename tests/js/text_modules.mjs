// How node reads the project's modules, as vae/browser/bundle.py does: .js as ES modules, .html and .css as modules
// that export their text, and "/x.js" from vae/browser.
import { readFile } from 'node:fs/promises';

const BROWSER = new URL('../../vae/browser/', import.meta.url);
const PAGES = new URL('../../pages/', import.meta.url);
const isOurs = (url) => url.startsWith(BROWSER.href) || url.startsWith(PAGES.href);

export function resolve(specifier, context, next) {
  const fromRoot = specifier.startsWith('/') && isOurs(context.parentURL ?? '');
  return next(fromRoot ? new URL(specifier.slice(1), BROWSER).href : specifier, context);
}

export async function load(url, context, next) {
  if (isOurs(url) && /\.(html|css)$/.test(url)) {
    const text = await readFile(new URL(url), 'utf-8');
    return { format: 'module', shortCircuit: true, source: `export default ${JSON.stringify(text)};` };
  }
  return next(url, isOurs(url) ? { ...context, format: 'module' } : context);
}
