// What the model is, where its data come from, and where the full app is.
import { appLink, made } from '../elements.js';

export const view = {
  name: 'about', title: 'About', sentence: 'About this model, its data and their licences.', serves: () => '', show,
};

function show(element, { model, data, address, content: { header } }) {
  const terms = [
    ['Model', model.title], ['In short', model.description], ['Licence of the model', model.licence],
    ['Data', `${data.title}. ${data.source}`], ['Licence of the data', data.licence],
  ];
  element.append(
    made('dl', {}, ...terms.flatMap(([term, text]) => [made('dt', { textContent: term }), made('dd', { textContent: text })])),
    ...(location.protocol.startsWith('http') ? embedding(address({ view: 'sliders' })) : []),
    made('p', {}, 'This page works without a network. Your drawings and pictures stay on this device. The address bar holds a link to what you see. For training, your own models and more pages, get ', ...appLink(header), '.'),
  );
  return { update() {}, destroy: () => element.replaceChildren() };
}

// Returns the line that embeds the explorer in another page, where this page has an address on the web.
function embedding(place) {
  const source = new URL(place, location).href.replaceAll('&', '&amp;');
  const line = `<iframe src="${source}" title="Latent-space explorer" width="100%" height="900" style="border: 0"></iframe>`;
  return [made('p', { textContent: 'To embed the explorer in a website, paste this line into its HTML.' }), made('pre', {}, made('code', { textContent: line }))];
}
