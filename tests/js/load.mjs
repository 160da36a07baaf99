// Loads modules of vae/browser, and of pages/, into node. Styles and markup are strings, as bundle.py makes them.
import { register } from 'node:module';

const BROWSER = new URL('../../vae/browser/', import.meta.url);

register('./text_modules.mjs', import.meta.url);
globalThis.CustomEvent ??= class extends Event { // node 18 has none
  constructor(kind, { detail }) {
    super(kind);
    this.detail = detail;
  }
};

// Returns the exports of a module, named from vae/browser: "runtime/mailbox.js".
export const load = (name) => import(new URL(name, BROWSER));
