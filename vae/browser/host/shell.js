// What stands around a view: the model, the navigation, and the sentence of what to try.
import { appLink, made, select } from './elements.js';
import { createLesson, stepAddress } from './lesson.js';
import { VIEWS } from './views.js';

// Returns { show, showLinks }: show the view of the host's place, or let the links lead to where the point is now.
export function createShell(root, host) {
  const { header } = host.content;
  const picker = select('Model', header.models.map(({ name, title }) => [name, title]), host.place.model, (model) => {
    const { start } = header.models.find(({ name }) => name === model);
    location.hash = host.address({ model, ...start });
  });
  const links = VIEWS.map(({ name, title }) => made('a', { textContent: title, href: `#${name}` }));
  const lessons = header.lessons.map((lesson) => made('a', { textContent: `Lesson: ${lesson.title}`, href: stepAddress(host, lesson, 1) }));
  const nav = made('nav', {}, ...links, ...lessons), lesson = createLesson(host);
  nav.setAttribute('aria-label', 'Views');
  const title = made('h2'), sentence = made('p', { className: 'sentence' }), element = made('div', { className: 'view' });
  const main = made('main', {}, title, sentence, element);
  root.replaceChildren(
    made('header', {}, made('h1', { textContent: 'Latent-space explorer' }), picker), nav, lesson.element, main,
    made('footer', {}, 'Nothing that you draw or choose leaves this page. ', ...appLink(header, 'The full app'), ' has more.'),
  );
  const showLinks = () => links.forEach((link, i) => (link.href = host.address({ view: VIEWS[i].name })));
  return {
    showLinks,
    show() {
      const { place, model } = host, view = VIEWS.find(({ name }) => name === place.view), reason = view.serves(model);
      lesson.show();
      host.shown?.destroy();
      element.replaceChildren();
      title.textContent = view.title;
      sentence.textContent = reason ? `${model.title} cannot be shown here: ${reason}. Choose another model.` : view.sentence;
      picker.querySelector('select').value = place.model;
      links.forEach((link, i) => (VIEWS[i] === view ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current')));
      const { offsetLeft, offsetWidth } = links[VIEWS.indexOf(view)]; // on a phone the navigation scrolls to it
      nav.scrollLeft = offsetLeft + offsetWidth / 2 - nav.clientWidth / 2;
      showLinks();
      document.title = `${view.title}: ${model.title}`;
      host.shown = reason ? null : view.show(element, host);
    },
  };
}
