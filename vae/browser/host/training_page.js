// The film of a training as a page of its own: one HTML file.
import { fromBase64 } from '../runtime/base64.js';
import { mount } from '../widgets/training/training.js';
import { unpack } from './content.js';
import { made } from './elements.js';

const root = document.getElementById('host');
start().catch((error) => root.replaceChildren(made('p', { role: 'alert', textContent: `This page cannot be shown: ${error.message}.` })));

async function start() {
  const { header } = await unpack(fromBase64(document.getElementById('content').textContent));
  root.append(made('h1', { textContent: header.title }));
  mount(root.appendChild(made('div')), header.props, () => {});
}
