// A button that folds a sheet to one row and opens it again. It sets data-<name> of the document's root to "open" or
// "folded", for which the host has styles. Emits nothing. Props: { name, content, summary, answered }: the sheet opens when
// its content changes; the summary stands on the button; `answered` is a selector of what an answer adds to the sheet,
// which scrolls into view, or ''.
import { createRoot } from '../../runtime/root.js';
import css from './fold.css';

export function mount(element, props) {
  const root = createRoot(element, '<button type="button"><span class="summary"></span><span class="action"></span></button>', css);
  const fold = { root, button: root.querySelector('button'), data: null, folded: false };
  root.fold = fold; // read by the browser tests
  fold.button.onclick = () => setFolded(fold, !fold.folded);
  update(fold, props);
  return {
    update: (next) => update(fold, next),
    destroy() {
      delete document.documentElement.dataset[fold.data.name];
      root.replaceChildren();
    },
  };
}

function update(fold, props) {
  const before = fold.data;
  fold.data = props;
  fold.root.querySelector('.summary').textContent = props.summary;
  setFolded(fold, fold.folded && before.content === props.content);
  if (props.answered && before && !before.answered) showAnswer(props.answered);
}

// The host adds the answer to the page with the same update, before or after this one.
function showAnswer(selector, tries = 20) {
  const answer = document.querySelector(selector);
  if (answer) answer.scrollIntoView({ block: 'nearest' });
  else if (tries) setTimeout(showAnswer, 50, selector, tries - 1);
}

function setFolded(fold, folded) {
  fold.folded = folded;
  document.documentElement.dataset[fold.data.name] = folded ? 'folded' : 'open';
  fold.button.setAttribute('aria-expanded', String(!folded));
  fold.root.querySelector('.action').textContent = folded ? 'Open' : 'Fold';
}
