// Which action a pressed key asks for.
import { undoKey } from '../../runtime/undo_key.js';

const TEXT = new Set(['INPUT', 'TEXTAREA', 'SELECT']);
const ARROWS = { ArrowLeft: 'previous', ArrowRight: 'next' };

// Returns 'undo', 'redo', 'projector', 'previous', 'next' or undefined. A key that a field, a drawing pad or another control
// uses is left to it.
export function action(event, isProjector) {
  const { key, ctrlKey, metaKey, altKey } = event;
  const target = event.composedPath()[0];
  if (event.defaultPrevented || event.repeat || altKey || isText(target)) return undefined;
  if (ctrlKey || metaKey) return isPad(event) ? undefined : undoKey(event);
  if (key.toLowerCase() === 'p' || (isProjector && key === 'Escape')) return 'projector';
  return isProjector && !usesArrows(target) ? ARROWS[key] : undefined;
}

const isRange = (element) => element.tagName === 'INPUT' && ['range', 'checkbox', 'radio', 'button'].includes(element.type);
const isText = (element) => (TEXT.has(element.tagName) && !isRange(element)) || element.isContentEditable === true;
const isPad = (event) => event.composedPath().some((element) => element.tagName === 'CANVAS' || element.dataset?.pad !== undefined);

// Elements with a position in the tab order keep their arrow keys: sliders, radio buttons, plots.
const usesArrows = (element) => !['BODY', 'HTML', 'BUTTON', 'A'].includes(element.tagName);
