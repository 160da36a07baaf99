// Keeps a learner's predictions in this browser, and tells the host those that it has kept before, once. Shows nothing, or
// a button that forgets all of them. Emits: kept {step: {prediction, revealed}} and forgot. Its props are those of
// pages/components/lessons/progress.py: { steps, heard, forgets }.
import { createRoot } from '../../runtime/root.js';
import css from './progress.css';
import { addSteps, forget, isNews, read } from './store.js';

const storage = () => window.localStorage;
const ASK = 'Forget my progress', SURE = 'Forget all predictions and sentences?';

export function mount(element, props, emit) {
  const root = createRoot(element, `<button type="button">${ASK}</button>`, css), button = root.querySelector('button');
  let isHeard = false; // the host may show this widget again before it has taken what was kept
  let isForgotten = false; // a run that began before still knows the steps
  button.onclick = () => {
    if (button.textContent === ASK) {
      button.textContent = SURE;
      return;
    }
    button.textContent = ASK;
    forget(storage);
    isForgotten = true;
    emit('forgot', true);
  };
  button.onblur = () => (button.textContent = ASK);
  function update({ steps, heard, forgets }) {
    button.hidden = !forgets;
    isForgotten &&= Object.keys(steps).length > 0;
    if (isForgotten) return;
    const kept = read(storage).steps;
    if (!heard && !isHeard && isNews(kept, steps)) emit('kept', kept);
    isHeard = true;
    addSteps(storage, steps);
  }
  update(props);
  return { update, destroy: () => root.replaceChildren() };
}
