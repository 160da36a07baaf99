// What stands around a view: the model, the navigation, and the sentence of what to try.
import { appLink, made, select, sentenceOf } from './elements.js';
import { createLesson, stepAddress } from './lesson.js';
import { VIEWS } from './views.js';

// Returns { show, showLinks }: show the view of the host's place, or let the links lead to where the point is now.
export function createShell(root, host) {
  const { header } = host.content;
  const picker = select('Model', header.models.map(({ name, title }) => [name, title]), host.place.model, (model) => {
    const { start } = header.models.find(({ name }) => name === model);
    host.go(host.address({ model, ...start }));
  });
  const links = VIEWS.map(({ name, title }) => made('a', { textContent: title, href: `#${name}` }));
  const lessons = header.lessons.map((lesson) => made('a', { textContent: `Lesson: ${lesson.title}`, href: stepAddress(lesson, 1) }));
  const nav = made('nav', {}, ...links, ...lessons), lesson = createLesson(host);
  nav.setAttribute('aria-label', 'Views');
  const printed = made('p', { className: 'printed' }), title = made('h2', { tabIndex: -1 }), sentence = made('p', { className: 'sentence' }), element = made('div', { className: 'view' });
  const main = made('main', {}, title, sentence, element);
  root.replaceChildren(
    made('header', {}, made('h1', { textContent: 'Latent-space explorer' }), picker, printed), nav, lesson.element, main,
    made('footer', {}, 'Your drawings and pictures stay on this device. ', ...appLink(header, 'The full app'), ' can also train models.',
      ...(header.reference ? [' In Python, ', made('a', { textContent: 'the API reference', href: header.reference }), ' lists all names.'] : [])),
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
      sentence.replaceChildren(...(reason ? instead(host, view, reason) : [sentenceOf(view, host)]));
      picker.querySelector('select').value = place.model;
      links.forEach((link, i) => (VIEWS[i] === view ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current')));
      const { offsetLeft, offsetWidth } = links[VIEWS.indexOf(view)]; // on a phone the navigation scrolls to it
      nav.scrollLeft = offsetLeft + offsetWidth / 2 - nav.clientWidth / 2;
      showLinks();
      printed.textContent = host.credit;
      host.navigation.title(`${view.title}: ${model.title}`);
      host.shown = null;
      try {
        if (!reason) host.shown = view.show(element, host);
      } catch (error) { // of an address that the view did not expect: the others still work
        element.replaceChildren(made('p', { role: 'alert', textContent: `This view cannot be shown: ${error.message}. Choose another one.` }));
      }
    },
    // Says why another model cannot be shown; the address stays.
    fail(error) {
      host.shown?.destroy();
      host.shown = null;
      element.replaceChildren(made('p', { role: 'alert', textContent: `The model cannot be loaded: ${error.message}. Choose another one, or reload the page.` }));
      sentence.textContent = '';
    },
    loading() {
      sentence.textContent = 'Loading the model …';
    },
  };
}

// Returns the sentence that a view cannot show the model, and links to the models that it can.
function instead({ model, content, address }, { name, serves }, reason) {
  const links = content.header.models.filter((one) => !serves(one))
    .map((one) => made('a', { textContent: one.title, href: address({ view: name, model: one.name, ...one.start }) }));
  return [`This view cannot show ${model.title}: ${reason}. `, ...(links.length ? ['Open it with ', ...links.flatMap((link, i) => (i ? [' or ', link] : [link])), '.'] : [])];
}
