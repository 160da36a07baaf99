// Keyboard shortcuts of every page: Ctrl+Z undoes, Ctrl+Shift+Z and Ctrl+Y redo, P toggles the projector mode and Escape
// leaves it, the arrow keys take a lesson's steps in it. Also keeps the current page's link in view. Emits nothing, and
// shows only how to leave the projector mode. Its props are those of pages/components/bridge/shortcuts.py.
import { createRoot } from '../../runtime/root.js';
import { action } from './keys.js';

const PROJECTOR = 'latent-space-explorer-projector'; // in the tab's storage
const LEAVING = 3000; // ms at most between a click on a page's link and the page
const HINT = 'projector-hint', HINT_TIME = 4000; // ms

export function mount(element, props) {
  createRoot(element, '<div></div>', '');
  const controller = new AbortController();
  let { buttons, strip } = props, page;
  let leavingUntil = 0; // an undo of the page that is being left would lead back to it
  const press = (name) => document.querySelector(`.st-key-${buttons[name]} button:not(:disabled)`);
  document.addEventListener('keydown', (event) => {
    const name = action(event, isProjector());
    if (performance.now() < leavingUntil && (name === 'undo' || name === 'redo')) return event.preventDefault();
    const button = name && name !== 'projector' ? press(name) : undefined;
    if (name === 'projector') toggleProjector();
    else if (!button) return undefined;
    event.preventDefault();
    return button?.click();
  }, { signal: controller.signal });
  document.addEventListener('click', (event) => {
    if (event.target.closest?.(`.st-key-${strip} a`)) leavingUntil = performance.now() + LEAVING;
  }, { signal: controller.signal, capture: true });
  setProjector(remembered());

  function update(next) {
    ({ buttons, strip } = next);
    for (const link of document.querySelectorAll(`.st-key-${strip} a`)) {
      const isCurrent = link.getAttribute('href') === next.page;
      if (isCurrent) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      if (isCurrent && next.page !== page) link.scrollIntoView({ inline: 'center', block: 'nearest', behavior: 'instant' });
    }
    if (next.page !== page) leavingUntil = 0;
    page = next.page;
  }
  update(props);
  return { update, destroy: () => controller.abort() };
}

const isProjector = () => 'projector' in document.documentElement.dataset;

function toggleProjector() {
  setProjector(!isProjector());
  document.querySelector(`.${HINT}`)?.remove();
  if (!isProjector()) return;
  const hint = Object.assign(document.createElement('p'), { className: HINT, textContent: 'Projector mode. Press P or Escape to leave.' });
  hint.setAttribute('role', 'status');
  document.body.append(hint); // the page hides what is not its picture
  setTimeout(() => hint.remove(), HINT_TIME);
}

function setProjector(on) {
  document.documentElement.toggleAttribute('data-projector', on);
  try {
    sessionStorage.setItem(PROJECTOR, on ? '1' : '');
  } catch { /* blocked: the mode lasts until the page is loaded again */ }
}

function remembered() {
  try {
    return Boolean(sessionStorage.getItem(PROJECTOR));
  } catch {
    return isProjector();
  }
}
