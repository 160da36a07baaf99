// The panel of a lesson's step: what to try, a question and, after an answer, the explanation.
import { appLink, button, made } from './elements.js';

// Returns { element, show }. show() shows the step that the place names ("kl.2"), or nothing.
export function createLesson(host) {
  const element = made('section', { className: 'lesson', hidden: true });
  element.setAttribute('aria-label', 'Lesson');
  let shown = '';
  return {
    element,
    show() {
      const key = host.place.settings.lesson ?? '';
      if (key === shown) return;
      shown = key;
      const found = stepOf(host, key);
      element.hidden = !found;
      element.replaceChildren(...(found ? partsOf(host, found) : []));
    },
  };
}

function stepOf({ content: { header } }, text) {
  const [key, number] = text.split('.'), lesson = header.lessons.find((one) => one.key === key);
  const step = lesson?.steps[Number(number) - 1];
  return step && { lesson, step, number: Number(number) };
}

// Returns the address of a step: the page, the model and the point at which it begins.
export function stepAddress(host, lesson, number) {
  const { page, link, fits } = lesson.steps[number - 1], settings = { lesson: `${lesson.key}.${number}` };
  if (!fits) return host.address({ settings });
  const parameters = new URLSearchParams({ ...link, ...settings });
  return `#${page}?${parameters}`;
}

function partsOf(host, { lesson, step, number }) {
  const { steps } = lesson, explanation = made('div', { role: 'status' });
  const explain = (answer) => explanation.replaceChildren(
    made('p', {}, made('strong', { textContent: answer === step.correct ? 'Yes. ' : `Answer: ${step.correct}. ` }), ...bold(`${step.reveal} ${step.why}`)),
    ...(step.source ? [made('p', { className: 'caption', textContent: step.source })] : []),
  );
  const answers = step.answers.map((answer) => made('label', {}, made('input', { type: 'radio', name: 'answer', onchange: () => explain(answer) }), ` ${answer}`));
  const go = (to) => () => (location.hash = stepAddress(host, lesson, to));
  const page = step.page[0].toUpperCase() + step.page.slice(1);
  const away = step.fits ? [] : [made('p', { className: 'caption' }, `This step is on the page ${page} of `, ...appLink(host.content.header), '.')];
  return [
    made('div', {}, made('p', {}, made('strong', { textContent: lesson.title }), ` · step ${number} of ${steps.length}`), made('p', {}, ...bold(step.try)), ...away),
    made('fieldset', {}, made('legend', { textContent: step.question }), ...answers),
    explanation,
    made('div', { className: 'row' },
      button('Back', go(number - 1), { disabled: number === 1 }), button('Next', go(number + 1), { disabled: number === steps.length, className: 'primary' }),
      button('Leave lesson', () => (location.hash = host.address({ settings: {} })))),
  ];
}

// Returns the nodes of a text with **bold** parts.
const bold = (text) => text.split('**').map((part, i) => (i % 2 ? made('strong', { textContent: part }) : part));
