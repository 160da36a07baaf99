// The panel of a lesson's step: what to try, a question and, after Reveal, the prediction beside the result, and why.
import { createOutline, findPart } from '../runtime/outline.js';
import { shuffled } from '../runtime/random.js';
import { appLink, button, made } from './elements.js';
import { within } from './numbers.js';

const MAX_SHUFFLE = 9999; // as in vae/lessons/shuffle.py
const EVERY = 250; // ms between looks for the outlined part, which a view may make late or anew

// Returns { element, show }. show() shows the step that the place names ("terms.2"), or nothing, and outlines what its
// question is about.
export function createLesson(host) {
  const element = made('section', { className: 'lesson', hidden: true, tabIndex: -1 });
  element.setAttribute('aria-label', 'Lesson');
  const panel = { host, element, predictions: new Map() }; // {"terms.2": { answer, isRevealed }}, as long as the page is open
  const pointAt = createPointer(element);
  let shown = '';
  return {
    element,
    show() {
      const { lesson: key = '', shuffle = '' } = host.place.settings, found = stepOf(host, key, shuffle);
      if (`${key} ${shuffle}` !== shown) {
        element.hidden = !found;
        element.replaceChildren(...(found ? partsOf(panel, found) : []));
        if (found && shown.trim()) element.focus({ preventScroll: true });
        shown = `${key} ${shuffle}`;
      }
      const isAtStep = found && host.place.view === found.step.page && host.place.model === found.step.model;
      const back = element.querySelector('.back-to-step'), view = host.views.find(({ name }) => name === host.place.view);
      if (found && back) back.hidden = isAtStep;
      pointAt(isAtStep ? view.parts?.[found.step.look_at] : '');
    },
  };
}

// Returns a function that outlines the part of the view beside an element that a selector names; none for ''.
function createPointer(element) {
  const outline = createOutline();
  let timer = 0;
  return (selector) => {
    clearInterval(timer);
    outline(null);
    if (!selector) return;
    timer = setInterval(() => {
      if (element.isConnected) outline(findPart(element.parentNode.querySelector('main'), selector));
      else clearInterval(timer);
    }, EVERY);
  };
}

// Returns { lesson, step, number, seed, problem }; null for a lesson that is not here. A step or an order of answers that
// does not exist is the lesson's start, and a problem.
function stepOf({ content: { header } }, text, shuffle) {
  const [key, place] = text.split('.'), lesson = header.lessons.find((one) => one.key === key);
  if (!lesson) return null;
  const seed = shuffle === '' ? 0 : within(shuffle, 0, MAX_SHUFFLE, NaN), number = Number(place);
  const wrong = lesson.steps[number - 1] ? (Number.isInteger(seed) ? '' : 'order of answers') : 'step';
  if (!wrong) return { lesson, step: lesson.steps[number - 1], number, seed, problem: '' };
  return { lesson, step: lesson.steps[0], number: 1, seed: 0, problem: `The ${wrong} in this link does not exist. The lesson starts at step 1.` };
}

// Returns the address of a step: the page, the model and the point at which it begins.
export function stepAddress(lesson, number, seed = 0) {
  const { page, link } = lesson.steps[number - 1];
  return `#${page}?${new URLSearchParams({ ...link, lesson: `${lesson.key}.${number}`, shuffle: seed })}`;
}

function partsOf({ host, element, predictions }, { lesson, step, number, seed, problem }) {
  const { steps, more } = lesson, name = `${lesson.key}.${number}`, question = made('div'), explanation = made('div', { role: 'status' });
  const go = (to) => () => host.go(stepAddress(lesson, to, seed));
  const isLast = number === steps.length, count = `${more} more step${more > 1 ? 's' : ''}`;
  const finish = () => element.replaceChildren(...summary(host, lesson, predictions));
  const show = () => {
    const prediction = predictions.get(name);
    question.replaceChildren(...(prediction?.isRevealed ? result(step, prediction.answer) : ask()));
    explanation.replaceChildren(...(prediction?.isRevealed ? reasons(step) : []));
  };
  const ask = () => {
    const reveal = button('Reveal', () => {
      predictions.get(name).isRevealed = true;
      show();
    }, { className: 'primary', disabled: !predictions.has(name) });
    const choose = (answer) => {
      predictions.set(name, { answer, isRevealed: false });
      reveal.disabled = false;
    };
    const answers = shuffled(step.answers, 7919 * seed + 97 * lesson.order + step.number).map((answer) => made('label', {}, made('input', {
      type: 'radio', name: 'answer', checked: predictions.get(name)?.answer === answer, onchange: () => choose(answer),
    }), ` ${answer}`));
    return [made('fieldset', {}, made('legend', { textContent: step.question }), ...answers), reveal];
  };
  show();
  return [
    made('div', {}, ...(problem ? [made('p', { role: 'alert', textContent: problem })] : []),
      made('p', {}, made('strong', { textContent: lesson.title }), ` · step ${number} of ${steps.length}`), made('p', {}, ...bold(step.try)),
      ...(isLast && more ? [made('p', { className: 'caption' }, `This lesson has ${count} in `, ...appLink(host.content.header), '.')] : [])),
    question, explanation,
    made('div', { className: 'row' },
      button('Back', go(number - 1), { disabled: number === 1 }),
      isLast ? button('Summary', finish, { className: 'primary' }) : button('Next', go(number + 1), { className: 'primary' }),
      button('Back to this step', go(number), { className: 'back-to-step' }), button('Leave lesson', () => leave(host))),
  ];
}

// Returns a question with the prediction beside the result.
function result({ question, correct }, answer) {
  return [
    made('p', {}, made('strong', { textContent: question })),
    made('dl', { className: 'result' }, made('dt', { textContent: `Your prediction ${answer === correct ? '✓' : '✗'}` }), made('dd', { textContent: answer }),
      made('dt', { textContent: 'Result' }), made('dd', { textContent: correct })),
  ];
}

function reasons({ reveal, why, source }) {
  return [
    made('p', {}, ...bold(reveal)), ...(why ? [made('p', {}, ...bold(why))] : []),
    ...(source ? [made('p', { className: 'caption', textContent: source })] : []),
  ];
}

// Returns each prediction of a lesson beside its result.
function summary(host, lesson, predictions) {
  const parts = lesson.steps.map((step, i) => {
    const prediction = predictions.get(`${lesson.key}.${i + 1}`);
    return made('div', {}, ...(prediction?.isRevealed ? result(step, prediction.answer) : [made('p', {}, made('strong', { textContent: step.question })), made('p', { textContent: 'You have not revealed this one.' })]));
  });
  return [
    made('p', {}, made('strong', { textContent: `${lesson.title}: your predictions and the results` })), ...parts,
    made('div', { className: 'row' }, button('Begin again', () => host.go(stepAddress(lesson, 1))), button('Leave lesson', () => leave(host))),
  ];
}

function leave(host) {
  const { lesson, shuffle, ...settings } = host.place.settings;
  host.go(host.address({ settings }));
  document.querySelector('h2').focus({ preventScroll: true });
}

// Returns the nodes of a text with **bold** and *emphasised* parts.
const bold = (text) => text.split('**').flatMap((part, i) => (i % 2 ? made('strong', { textContent: part }) : emphasised(part)));
const emphasised = (text) => text.split('*').map((part, i) => (i % 2 ? made('em', { textContent: part }) : part));
