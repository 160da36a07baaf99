// The first panel of a page, before Streamlit has loaded. It stands where the page's own panel will be; that one takes
// over when it is painted and no hand is on this one.
import { createMailbox } from '/runtime/mailbox.js';

const HEADER = '3.5rem', MAX_WIDTH = 1500, FONT = '"Source Sans", sans-serif'; // of the app's pages
const GIVE_UP = 60000; // ms after which a page that never shows its panel gets its place back
const LOOK = 100; // ms between two looks whether the visitor has left the page

// mount: of the widget. address: of its props. colours: of the theme, by CSS property.
export async function begin(mount, { widget, address, colours }) {
  const mailbox = (window.latentSpaceExplorer ??= createMailbox());
  const path = location.pathname, began = performance.now();
  const element = document.createElement('div'), place = document.createElement('div');
  let panel = null, ended = false;
  const end = () => {
    ended = true;
    clearInterval(watch);
    mailbox.early = null;
    panel?.destroy();
    element.remove();
  };
  const watch = setInterval(() => {
    if (location.pathname !== path || performance.now() - began > GIVE_UP) end();
  }, LOOK);
  mailbox.early = { widget, takeOver: end };
  const found = await fetch(address + location.search).catch(() => null);
  let props = found?.status === 200 ? await found.json().catch(() => null) : null; // null where the answer is cut off
  if (ended) return;
  if (!props) return end();
  const events = [];
  lay(element, place, colours);
  panel = mount(place, props, (event, value) => {
    if (event === 'painted') element.style.visibility = 'visible';
    else if (event !== 'ask') keep(events, event, value);
    if (event === 'commit') setTimeout(answer, 0, value);
  }, mailbox);
  const answer = ({ panel: id, commit, z, y }) => {
    if (ended) return;
    props = { ...props, z, y, version: props.version + 1, echo: { panel: id, commit } }; // the widget compares it with the last one
    panel.update(props);
  };
  const isHeld = () => {
    const { holding, waiting } = place.shadowRoot.panel; // waiting: a release that has not been sent
    return holding || waiting || place.shadowRoot.querySelector(':active');
  };
  mailbox.early.takeOver = function takeOver(successor) {
    if (ended) return;
    if (isHeld()) {
      setTimeout(takeOver, LOOK, successor);
      return;
    }
    const sent = events.splice(0);
    for (const [event, value] of sent) successor.emit(event, value);
    if (sent.length) successor.answered(leave);
    else leave();
    function leave() {
      if (ended) return;
      if (events.length || isHeld()) { // the hand went on meanwhile
        takeOver(successor);
        return;
      }
      const focused = controls(place).indexOf(place.shadowRoot.activeElement);
      remember(path, successor.element);
      end();
      if (focused >= 0) controls(successor.element)[focused]?.focus({ preventScroll: true });
    }
  };
}

// Keeps an event for the page's panel; of releases only the last.
function keep(events, event, value) {
  const earlier = events.findIndex(([name]) => name === event);
  if (event === 'commit' && earlier >= 0) events.splice(earlier, 1);
  events.push([event, value]);
}

const controls = (element) => [...element.shadowRoot.querySelectorAll('button, input, select, [tabindex]')];

// ---- where the panel stands: where the page's own stood last time, else where it stands with a heading of usual height

const key = (path) => `early ${path.split('/').pop()} ${innerWidth}`;

function lay(element, place, colours) {
  const { top, left, width } = read(key(location.pathname)) ?? usualPlace();
  element.className = 'early-panel';
  element.style.cssText = `position: absolute; z-index: 100; inset: 0 0 auto; min-height: 100vh; padding: ${top}px 0 2rem; box-sizing: border-box; visibility: hidden;
    color-scheme: ${scheme()}; background: ${colours['--background-color']}; color: ${colours['--text-color']}; font: 1rem ${FONT}`;
  place.style.cssText = `margin-left: ${left}px; width: ${width}px; --font: ${FONT}; --header-height: ${HEADER}`;
  for (const [name, value] of Object.entries(colours)) place.style.setProperty(name, value);
  element.append(place);
  document.body.append(element);
}

function usualPlace() {
  const narrow = innerWidth < 640, across = Math.min(innerWidth, MAX_WIDTH), margin = narrow ? 12 : 80;
  return { top: narrow ? 267 : 213, left: (innerWidth - across) / 2 + margin, width: across - 2 * margin };
}

// Streamlit keeps the theme that a visitor has chosen, by the address of the app.
function scheme() {
  const chosen = read(`stActiveTheme-${location.pathname}-v2`)?.name ?? '';
  return chosen.endsWith('Dark') ? 'dark' : chosen.endsWith('Light') ? 'light' : 'light dark';
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null; // storage is closed to this page
  }
}

function remember(path, element) {
  const { top, left, width } = element.getBoundingClientRect();
  try {
    localStorage.setItem(key(path), JSON.stringify({ top, left, width }));
  } catch { /* the next visit estimates the place again */ }
}
