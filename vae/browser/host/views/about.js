// What the page shows: the model, the views, the terms that they use, and where the full app is.
import { appLink, made, sentenceOf } from '../elements.js';

export const view = {
  name: 'about', title: 'About', sentence: 'What you are looking at, and where it comes from.',
  terms: ['vae', 'autoencoder', 'latent-code'], serves: () => '', show,
};

const WHAT = 'An autoencoder compresses an image into a few numbers, its latent code z, and decodes z to an image. A variational autoencoder (VAE) also learns a distribution of codes for each image. All codes together form its latent space. Your browser runs the model, so you can change z and see at once what it decodes to.';

function show(element, host) {
  const { model, data, address, views, navigation: { isPage }, content: { header } } = host, served = views.filter((one) => !one.serves(model));
  const keys = Object.keys(header.glossary).filter((key) => served.some(({ terms }) => terms.includes(key)));
  const facts = [
    ['Model', model.title], ['In short', model.description], ['Licence of the model', model.licence],
    ['Data', `${data.title}. ${data.source}`], ['Licence of the data', data.licence],
  ];
  element.append(
    made('h3', { textContent: 'What am I looking at?' }), made('p', { className: 'prose', textContent: WHAT }),
    list(served.filter((one) => one !== view).map((one) => [made('a', { textContent: one.title, href: address({ view: one.name }) }), sentenceOf(one, host)])),
    made('h3', { textContent: 'This model and its data' }), list(facts),
    made('h3', { textContent: 'Terms' }), list(keys.map((key) => [header.glossary[key].name, header.glossary[key].definition])),
    made('h3', { textContent: 'Use it elsewhere' }),
    ...(isPage && location.protocol.startsWith('http') ? embedding(address({ view: 'sliders' })) : []),
    made('p', { className: 'prose' }, 'This page works without a network. Your drawings and pictures stay on this device. The address bar holds a link to what you see. For training, your own models and more pages, get ', ...appLink(header), '.'),
  );
  return { update() {}, destroy: () => element.replaceChildren() };
}

// Returns a list of terms with their descriptions. rows: [term, description], texts or elements
const list = (rows) => made('dl', {}, ...rows.flatMap(([term, text]) => [made('dt', {}, term), made('dd', {}, text)]));

// Returns the line that embeds the explorer in another page, where this page has an address on the web.
function embedding(place) {
  const source = new URL(place, location).href.replaceAll('&', '&amp;');
  const line = `<iframe src="${source}" title="Latent-space explorer" width="100%" height="900" style="border: 0"></iframe>`;
  return [made('p', { textContent: 'To embed the explorer in a website, paste this line into its HTML.' }), made('pre', {}, made('code', { textContent: line }))];
}
