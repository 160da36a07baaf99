// Scrolls to what a step's question is about, and outlines it. Shows and emits nothing. Its props are those of
// pages/components/lessons/panel.py: { step, place, revealed }. The place is the key of an element of the page, and perhaps a
// selector of a part of the widget with this key; "" for none.
import { createOutline, findPart } from '../../runtime/outline.js';
import { createRoot } from '../../runtime/root.js';

const EVERY = 250; // ms between looks: the page may show a part late, or make it anew
const MARGIN = 10; // px between the panel and the part
const STEADY = 4; // looks at which a part stands where it did, before it is scrolled to no more

export function mount(element, props) {
  createRoot(element, '<div></div>', '');
  const look = { props: null, outline: createOutline(), seen: [], isDone: false };
  const stopped = () => (look.isDone = true); // the hand decides from then on
  const events = ['wheel', 'touchstart', 'pointerdown', 'keydown'];
  for (const event of events) window.addEventListener(event, stopped, { capture: true, passive: true });
  const timer = setInterval(lookAgain, EVERY, look);
  update(look, props);
  return {
    update: (next) => update(look, next),
    destroy() {
      clearInterval(timer);
      for (const event of events) window.removeEventListener(event, stopped, { capture: true });
      look.outline(null);
    },
  };
}

function update(look, props) {
  const isOther = JSON.stringify(look.props) !== JSON.stringify(props);
  look.props = props;
  if (!isOther) return;
  Object.assign(look, { seen: [], isDone: false });
  lookAgain(look);
}

function lookAgain(look) {
  const part = partOf(look.props.place);
  look.outline(part);
  if (!part || look.isDone) return;
  const { bottom, height } = scrollTo(part);
  look.seen = [...look.seen, bottom].slice(-STEADY);
  const isSteady = look.seen.length === STEADY && look.seen.every((one) => Math.abs(one - bottom) < 1);
  look.isDone = isSteady && height > 0 && isPageReady(); // a widget is empty until it has drawn itself
}

// Returns whether the host has sent the whole page: until then, what is still to come may push the part away.
function isPageReady() {
  const app = document.querySelector('[data-testid=stApp]');
  return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-testid=stSkeleton]');
}

function partOf(place) {
  if (!place) return null;
  const [key, ...rest] = place.split(' '), whole = document.querySelector(`.st-key-${key}`);
  return whole && rest.length ? findPart(whole, rest.join(' ')) : whole;
}

// Scrolls the page so that a part stands below the panel, or on a phone above it, and returns where it then is.
function scrollTo(part) {
  const main = document.querySelector('[data-testid=stMain]'), box = part.getBoundingClientRect();
  const { top, bottom } = room(main);
  const place = Math.max(top, Math.min(box.top, bottom - box.height));
  const by = box.top - place;
  if (Math.abs(by) >= 1) main.scrollBy({ top: by, behavior: 'instant' });
  return part.getBoundingClientRect();
}

// Returns the part of the window that neither the header nor the panel covers.
function room(main) {
  const panel = document.querySelector('.st-key-lesson')?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
  const header = document.querySelector('.stAppHeader')?.getBoundingClientRect().bottom ?? 0;
  const isBelow = panel.top > innerHeight / 3; // a sheet
  return isBelow ? { top: header + MARGIN, bottom: panel.top - MARGIN } : { top: Math.max(panel.bottom, header) + MARGIN, bottom: innerHeight - MARGIN };
}
