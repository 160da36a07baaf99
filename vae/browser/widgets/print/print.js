// A button that prints the page. Emits nothing. Props: { label }.
import { createRoot } from '../../runtime/root.js';
import css from './print.css';

export function mount(element, { label }) {
  const root = createRoot(element, '<button type="button"></button>', css), button = root.querySelector('button');
  button.textContent = label;
  button.onclick = () => window.print();
  return { update() {}, destroy: () => root.replaceChildren() };
}
