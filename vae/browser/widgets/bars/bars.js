// Bars with a reference mark each, on an axis from 0. Emits nothing. Its props are those of
// pages/components/widgets/bars.py.
import { createRoot } from '../../runtime/root.js';
import css from './bars.css';
import { ticks } from './ticks.js';

const HTML = `<figure role="img"><p class="unit"></p>
<div class="plot"><div class="axis"></div><div class="bars"></div></div>
<figcaption><span class="value"></span> <span class="reference"></span></figcaption></figure>`;

export function mount(element, props) {
  const root = createRoot(element, HTML, css);
  show(root, props);
  return { update: (next) => show(root, next), destroy: () => root.replaceChildren() };
}

function show(root, { values, references, names, top, unit, value, reference, title }) {
  const find = (selector) => root.querySelector(selector);
  const share = (v) => `${100 * Math.min(v / top, 1)}%`;
  const texts = values.map((v, i) => `${names[i]} ${v.toFixed(2)}` + (references ? ` (${references[i].toFixed(2)})` : ''));
  find('figure').setAttribute('aria-label', `${title}: ${texts.join(', ')}`);
  find('.unit').textContent = unit;
  find('.value').textContent = value;
  find('.reference').textContent = references ? reference : '';
  find('.axis').replaceChildren(...ticks(top).map((tick) => {
    const line = made('div', 'tick', String(tick));
    line.style.bottom = share(tick);
    return line;
  }));
  find('.bars').replaceChildren(...values.map((v, i) => {
    const column = made('div', 'column'), bar = made('div', 'bar');
    column.title = texts[i];
    bar.style.height = share(v);
    column.append(bar);
    if (references) {
      const mark = made('div', 'mark');
      mark.style.bottom = share(references[i]);
      column.append(mark);
    }
    column.append(made('div', 'name', names[i]));
    return column;
  }));
}

function made(tag, className, text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
