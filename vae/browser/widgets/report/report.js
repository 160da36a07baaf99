// A learner's report: predictions beside results, his own sentences and bookmarked pictures, as a page to print and as a
// file that opens again. Emits nothing: all stays in the browser. Its props are those of
// pages/components/lessons/report.py: { of, base, steps, lessons }.
import { download } from '../../runtime/download.js';
import { createRoot } from '../../runtime/root.js';
import { read as readBookmarks } from '../bookmarks/store.js';
import { MAX_SENTENCE, addSteps, read, write } from '../progress/store.js';
import { ownWork, readFile, toFile } from './file.js';
import css from './report.css';
import html from './report.html';

const storage = () => window.localStorage;

export function mount(element, props) {
  const root = createRoot(element, html, css), find = (selector) => root.querySelector(selector);
  const report = { root, find, props, opened: null, own: null, work: null }; // own, opened, and which of them is shown
  find('.print').onclick = () => window.print();
  find('.save').onclick = () => download(toFile(workOf(report)), 'application/json', 'report.json');
  find('.open').onclick = () => find('input[type=file]').click();
  find('.close').onclick = () => show(report, null);
  find('input[type=file]').onchange = ({ target }) => open(report, target);
  update(report, props);
  return { update: (next) => update(report, next), destroy: () => root.replaceChildren() };
}

function update(report, props) {
  report.props = props;
  addSteps(storage, props.steps);
  if (!report.root.activeElement?.matches('textarea')) show(report, report.opened); // a sentence is being written
}

async function open(report, input) {
  const [file] = input.files;
  input.value = ''; // the same file may be opened again
  if (!file) return;
  try {
    show(report, await readFile(file));
  } catch (error) {
    report.find('.note').textContent = error.message;
  }
}

// Returns the work that is shown: that of the opened file, or the learner's own.
function workOf({ props, opened, own }) {
  return opened ?? ownWork(own, read(storage), props.steps, readBookmarks(storage));
}

// opened: the work of a file, or null for the learner's own.
function show(report, opened) {
  const { find, props } = report;
  report.opened = opened;
  const work = (report.work = workOf(report));
  if (!opened) report.own = work; // a file's sentences never become the learner's
  find('.note').textContent = opened ? 'This report comes from a file. It does not change your own.' : '';
  find('.close').hidden = !opened;
  const shown = props.lessons.filter(({ key, steps }) => (!opened && props.of ? key === props.of : steps.some((_, i) => isIn(work, `${key}.${i + 1}`))));
  find('.lessons').replaceChildren(...shown.map((lesson) => lessonPart(report, lesson)));
  if (!shown.length) find('.lessons').append(made('p', 'You have not predicted anything yet. Begin a lesson.'));
  find('.bookmarks').hidden = !work.bookmarks.length;
  find('.pictures').replaceChildren(...work.bookmarks.map((bookmark) => figure(bookmark, props.base)));
}

const isIn = ({ steps, sentences }, name) => name in steps || name in sentences;

function lessonPart(report, { key, title, steps }) {
  const section = made('section'), { work } = report;
  const names = steps.map((_, i) => `${key}.${i + 1}`), seen = names.filter((name) => work.steps[name]?.revealed);
  const right = steps.filter(({ result }, i) => work.steps[names[i]]?.revealed && work.steps[names[i]].prediction === result);
  section.append(made('h2', title), made('p', `${right.length} of ${seen.length} predictions were right.`), ...steps.map((step, i) => stepPart(report, names[i], i + 1, step)));
  return section;
}

function stepPart({ work, opened }, name, number, { question, result }) {
  const article = made('article'), step = work.steps[name], list = made('dl');
  const sign = step?.revealed ? (step.prediction === result ? ' ✓' : ' ✗') : '';
  list.append(
    made('dt', `Prediction${sign}`), made('dd', step?.prediction ?? 'none'),
    made('dt', 'Result'), made('dd', step?.revealed ? result : 'not revealed yet'),
  );
  article.append(made('h3', `${number}. ${question}`), list, ...ownSentence(work, name, number, Boolean(opened)));
  return article;
}

function ownSentence(work, name, number, isOpened) {
  const text = work.sentences[name] ?? '', printed = made('p', text);
  printed.className = 'own';
  if (isOpened) return text ? [printed] : [];
  const label = made('label', 'In your own words: why?'), field = document.createElement('textarea');
  Object.assign(field, { value: text, maxLength: MAX_SENTENCE, rows: 2 });
  field.setAttribute('aria-label', `In your own words: why? Step ${number}`);
  printed.classList.add('printed');
  field.oninput = () => {
    printed.textContent = work.sentences[name] = field.value;
    const kept = read(storage);
    write(storage, { ...kept, sentences: { ...kept.sentences, [name]: field.value } });
  };
  label.append(field);
  return [label, printed];
}

function figure({ name, link, picture }, base) {
  const element = document.createElement('figure'), caption = document.createElement('figcaption'), anchor = made('a', name);
  anchor.href = base + link;
  anchor.target = '_blank';
  caption.append(anchor);
  if (picture) element.append(Object.assign(document.createElement('img'), { src: picture, alt: `the picture of ${name}` }));
  element.append(caption);
  return element;
}

const made = (tag, text = '') => Object.assign(document.createElement(tag), { textContent: text });
