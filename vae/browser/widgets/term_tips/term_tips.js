// Tooltips of the terms that a page explains: links to the glossary whose titles are definitions. A pointer over a term,
// keyboard focus or a tap shows its definition; Escape hides it. A click, Enter or a second tap follows the link.
// Screen readers read the title.
import { createRoot } from '../../runtime/root.js';
import css from './term_tips.css';

const TERM = 'a[href^="glossary#"]';
const MARGIN = 8; // px between a tip and the window's edges
const LINGER = 200; // ms in which the pointer may cross from a term to its tip

export function mount(element) {
  const document = element.ownerDocument, abort = new AbortController(), { signal } = abort;
  const tip = createRoot(element, '<div class="tip" popover="manual" aria-hidden="true"></div>', css).querySelector('.tip');
  const tips = { tip, term: null, title: '', timer: 0 };
  const listen = (target, type, handle, options) => target.addEventListener(type, handle, { signal, ...options });
  const termOf = ({ target }) => target.closest?.(TERM);
  listen(document, 'pointerover', (event) => event.pointerType !== 'touch' && termOf(event) && show(tips, termOf(event)));
  listen(document, 'pointerout', (event) => event.pointerType !== 'touch' && termOf(event) && hideSoon(tips));
  listen(tip, 'pointerenter', () => clearTimeout(tips.timer));
  listen(tip, 'pointerleave', () => hideSoon(tips));
  listen(document, 'focusin', (event) => (termOf(event)?.matches(':focus-visible') ? show(tips, termOf(event)) : hide(tips)));
  listen(document, 'keydown', ({ key }) => key === 'Escape' && hide(tips));
  listen(document, 'click', (event) => {
    const term = termOf(event);
    if (event.pointerType !== 'touch' || !term) return term || hide(tips);
    if (tips.term === term) return;
    event.preventDefault();
    show(tips, term);
  }, { capture: true });
  for (const type of ['scroll', 'resize']) listen(document.defaultView, type, () => hide(tips), { capture: true, passive: true });
  return {
    update() {},
    destroy() {
      hide(tips);
      abort.abort();
    },
  };
}

function show(tips, term) {
  clearTimeout(tips.timer);
  if (tips.term === term) return;
  hide(tips);
  const { tip } = tips;
  Object.assign(tips, { term, title: term.title });
  term.removeAttribute('title'); // the browser's own tooltip would cover this one
  tip.textContent = tips.title;
  tip.classList.add('shown');
  tip.showPopover?.();
  place(tip, term);
}

// Places the tip above the term, or below where there is no room, within the window.
function place(tip, term) {
  const { left, top, bottom } = term.getClientRects()[0], { width, height } = tip.getBoundingClientRect();
  const widest = document.documentElement.clientWidth - MARGIN - width;
  tip.style.left = `${Math.max(MARGIN, Math.min(left, widest))}px`;
  tip.style.top = `${top - height - 4 < MARGIN ? bottom + 4 : top - height - 4}px`;
}

function hideSoon(tips) {
  clearTimeout(tips.timer);
  tips.timer = setTimeout(() => hide(tips), LINGER);
}

function hide(tips) {
  const { tip, term, title } = tips;
  if (!term) return;
  clearTimeout(tips.timer);
  term.title = title;
  tips.term = null;
  tip.classList.remove('shown');
  tip.hidePopover?.();
}
