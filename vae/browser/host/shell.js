// What stands around a view: the model, the navigation, and the sentence of what to try.
import { made, select } from './elements.js';
import { VIEWS } from './views.js';

// Returns { show, showAddresses }: show shows the view of the host's place, showAddresses links the views to this place.
export function createShell(root, host) {
  const { header } = host.content;
  const picker = select('Model', header.models.map(({ name, title }) => [name, title]), host.place.model, (model) => {
    const { start } = header.models.find(({ name }) => name === model);
    location.hash = host.address({ model, ...start });
  });
  const links = VIEWS.map(({ name, title }) => made('a', { textContent: title, href: `#${name}` }));
  const nav = made('nav', {}, ...links);
  nav.setAttribute('aria-label', 'Views');
  const title = made('h2'), sentence = made('p', { className: 'sentence' }), element = made('div', { className: 'view' });
  const main = made('main', {}, title, sentence, element);
  root.replaceChildren(
    made('header', {}, made('h1', { textContent: 'Latent-space explorer' }), picker), nav, main,
    made('footer', {}, 'Nothing that you draw or choose leaves this page. ', made('a', { href: header.app, textContent: 'The full app', rel: 'noopener' }), ' has more.'),
  );
  const showAddresses = () => links.forEach((link, i) => (link.href = host.address({ view: VIEWS[i].name })));
  return {
    showAddresses,
    show() {
      const { place, model } = host, view = VIEWS.find(({ name }) => name === place.view), reason = view.serves(model);
      host.shown?.destroy();
      element.replaceChildren();
      title.textContent = view.title;
      sentence.textContent = reason ? `${model.title} cannot be shown here: ${reason}. Choose another model.` : view.sentence;
      picker.querySelector('select').value = place.model;
      showAddresses();
      links.forEach((link, i) => {
        if (VIEWS[i] === view) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      });
      document.title = `${view.title}: ${model.title}`;
      host.shown = reason ? null : view.show(element, host);
    },
  };
}
