// The host as a page of its own: one HTML file, or a static site. The address of the page is the place.
import { fromBase64 } from '../runtime/base64.js';
import { unpack } from './content.js';
import { made } from './elements.js';
import { go, openHost } from './host.js';

const root = document.getElementById('host');
start().catch(fail);

function fail(error) {
  root.replaceChildren(made('p', { role: 'alert', textContent: `This page cannot be shown: ${error.message}.` }));
}

async function start() {
  const content = await unpack(fromBase64(document.getElementById('content').textContent));
  const host = await openHost(root, content, NAVIGATION, location.hash);
  addEventListener('hashchange', () => go(host, location.hash));
}

const NAVIGATION = {
  isPage: true,
  replace: (address) => keep(() => history.replaceState(null, '', address)),
  push: (address) => keep(() => history.pushState(null, '', address)),
  title: (text) => (document.title = text),
  moved() {},
  ask: null,
};

// Safari refuses more than 100 addresses in 30 seconds, and the next one is accepted. A sandboxed frame has no address.
function keep(change) {
  try {
    change();
  } catch {
    // the place is in the page all the same
  }
}
