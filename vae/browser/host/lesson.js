// The panel of a lesson's step: what to try, a question and, after an answer, the explanation.
import { appLink, button, made } from './elements.js';

// Returns { element, show }. show() shows the step that the place names ("kl.2"), or nothing.
export function createLesson(host) {
  const element = made('section', { className: 'lesson', hidden: true, tabIndex: -1 });
  element.setAttribute('aria-label', 'Lesson');
  let shown = '';
  return {
    element,
    show() {
      const key = host.place.settings.lesson ?? '', found = stepOf(host, key);
      if (key !== shown) {
        element.hidden = !found;
        element.replaceChildren(...(found ? partsOf(host, found) : []));
        if (found && shown) element.focus({ preventScroll: true });
        shown = key;
      }
      if (found) element.querySelector('.back-to-step').hidden = host.place.view === found.step.page && host.place.model === found.step.model;
    },
  };
}

function stepOf({ content: { header } }, text) {
  const [key, number] = text.split('.'), lesson = header.lessons.find((one) => one.key === key);
  const step = lesson?.steps[Number(number) - 1];
  return step && { lesson, step, number: Number(number) };
}

// Returns the address of a step: the page, the model and the point at which it begins.
export function stepAddress(lesson, number) {
  const { page, link } = lesson.steps[number - 1];
  return `#${page}?${new URLSearchParams({ ...link, lesson: `${lesson.key}.${number}` })}`;
}

function partsOf(host, { lesson, step, number }) {
  const { steps, more } = lesson, explanation = made('div', { role: 'status' });
  const explain = (answer) => explanation.replaceChildren(
    made('p', {}, made('strong', { textContent: answer === step.correct ? 'Yes. ' : `Answer: ${step.correct}. ` }), ...bold(step.explanation)),
    ...(step.source ? [made('p', { className: 'caption', textContent: step.source })] : []),
  );
  const answers = step.answers.map((answer) => made('label', {}, made('input', { type: 'radio', name: 'answer', onchange: () => explain(answer) }), ` ${answer}`));
  const go = (to) => () => host.go(stepAddress(lesson, to));
  const isLast = number === steps.length, count = `${more} more step${more > 1 ? 's' : ''}`;
  return [
    made('div', {}, made('p', {}, made('strong', { textContent: lesson.title }), ` · step ${number} of ${steps.length}`), made('p', {}, ...bold(step.try)),
      ...(isLast && more ? [made('p', { className: 'caption' }, `This lesson has ${count} in `, ...appLink(host.content.header), '.')] : [])),
    made('fieldset', {}, made('legend', { textContent: step.question }), ...answers),
    explanation,
    made('div', { className: 'row' },
      button('Back', go(number - 1), { disabled: number === 1 }), button('Next', go(number + 1), { disabled: isLast, className: 'primary' }),
      button('Back to this step', go(number), { className: 'back-to-step' }), button('Leave lesson', () => leave(host))),
  ];
}

function leave(host) {
  const { lesson, ...settings } = host.place.settings;
  host.go(host.address({ settings }));
  document.querySelector('h2').focus({ preventScroll: true });
}

// Returns the nodes of a text with **bold** and *emphasised* parts.
const bold = (text) => text.split('**').flatMap((part, i) => (i % 2 ? made('strong', { textContent: part }) : emphasised(part)));
const emphasised = (text) => text.split('*').map((part, i) => (i % 2 ? made('em', { textContent: part }) : part));
