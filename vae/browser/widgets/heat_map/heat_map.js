// A table with a button in each cell. Emits: pick, the row-major index of a cell. Its props are those of
// pages/components/widgets/heat_map.py.
import { createRoot } from '../../runtime/root.js';
import css from './heat_map.css';

const HTML = '<div class="wide"><table class="heat" role="grid"></table></div>';

export function mount(element, props, emit) {
  const root = createRoot(element, HTML, css);
  const table = root.querySelector('.heat');
  show(table, props, emit);
  return { update: (next) => show(table, next, emit), destroy: () => root.replaceChildren() };
}

function show(table, data, emit) {
  table.setAttribute('aria-label', data.name);
  const across = data.columns.length;
  const focused = [...table.querySelectorAll('button')].findIndex((b) => b.matches(':focus'));
  const head = row([made('td'), ...data.columns.map((text) => made('th', text, 'col'))]);
  const body = data.rows.map((name, r) =>
    row([made('th', name, 'row'), ...data.columns.map((_, c) => cell(r, c))])
  );
  table.replaceChildren(head, ...body);
  if (focused >= 0) table.querySelectorAll('button')[focused]?.focus(); // keep the keyboard focus

  function cell(r, c) {
    const chosen = r === data.selected[0] && c === data.selected[1];
    const button = made('button', data.texts[r][c]);
    button.type = 'button';
    button.style.background = data.colours[r][c];
    button.style.color = data.dark[r][c] ? '#111' : '#fff';
    button.className = `cell${chosen ? ' chosen' : ''}`;
    button.tabIndex = chosen ? 0 : -1; // Tab stops once; arrow keys move between cells
    button.setAttribute('aria-label', `${data.rows[r]}, ${data.columns[c]}: ${data.texts[r][c]}`);
    if (chosen) button.setAttribute('aria-current', 'true');
    button.onclick = () => emit('pick', r * across + c);
    button.onkeydown = (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [down, right] = [r + step[0], c + step[1]];
      if (down >= 0 && down < data.rows.length && right >= 0 && right < across) {
        table.querySelectorAll('button')[down * across + right].focus();
      }
    };
    const place = made('td');
    place.append(button);
    return place;
  }
}

function row(cells) {
  const tr = made('tr');
  tr.append(...cells);
  return tr;
}

function made(tag, text = '', scope = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  if (scope) element.scope = scope;
  return element;
}
