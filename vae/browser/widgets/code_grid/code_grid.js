// The image with a button over each cell of its code grid.
// Emits: chosen {places, number}, when the pointer rests. Its props are those of
// pages/components/live_panel/code_grid.py.
import { createRoot } from '../../runtime/root.js';
import css from './code_grid.css';

const HTML = '<div class="frame"><canvas role="img"></canvas><div class="places" role="group"></div></div>';
const SEND_AFTER = 200; // ms, since a drag selects many cells

export function mount(element, props, emit) {
  const root = createRoot(element, HTML, css);
  const group = root.querySelector('.places');
  update(root, group, props, emit);
  return {
    update: (next) => update(root, group, next, emit),
    destroy() {
      clearTimeout(group.timer);
      root.replaceChildren();
    },
  };
}

// group keeps what must outlive an update: the selection and the number of its last message.
function update(root, group, data, emit) {
  const canvas = root.querySelector('canvas');
  const picture = new Image();
  picture.onload = () => {
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext('2d').drawImage(picture, 0, 0);
  };
  picture.src = data.picture;
  canvas.classList.toggle('crisp', data.crisp);
  canvas.setAttribute('aria-label', 'the picture decoded from the grid of codes');
  group.setAttribute('aria-label', `codes in ${data.rows} rows and ${data.columns} columns`);
  group.style.gridTemplateColumns = `repeat(${data.columns}, 1fr)`;

  // the host's selection applies, unless a newer one from the browser is in flight
  if (!group.chosen || !(group.timer || group.sent > data.echo)) group.chosen = new Set(data.places);
  const chosen = group.chosen;
  const n = data.rows * data.columns;
  if (group.children.length !== n) {
    group.replaceChildren(...Array.from({ length: n }, () => {
      const button = document.createElement('button');
      button.type = 'button'; // it must not submit a form of the host page
      button.className = 'cell';
      return button;
    }));
    group.focusAt = 0;
  }
  const cells = [...group.children];
  const send = () => {
    clearTimeout(group.timer);
    group.timer = setTimeout(() => {
      group.timer = null;
      group.sent = Math.max(group.sent ?? 0, data.echo) + 1;
      emit('chosen', { places: [...chosen].sort((a, b) => a - b), number: group.sent });
    }, SEND_AFTER);
  };
  const show = (i) => {
    const row = Math.floor(i / data.columns) + 1, column = (i % data.columns) + 1;
    cells[i].setAttribute('aria-pressed', chosen.has(i));
    cells[i].setAttribute('aria-label', `row ${row}, column ${column}: vector ${data.numbers[i]}`);
    cells[i].title = `vector ${data.numbers[i]}`;
    cells[i].tabIndex = i === group.focusAt ? 0 : -1; // Tab stops once; arrow keys move between cells
  };
  const set = (i, on) => {
    if (chosen.has(i) === on) return;
    if (on) chosen.add(i);
    else chosen.delete(i);
    show(i);
    send();
  };
  cells.forEach((cell, i) => {
    show(i);
    cell.onclick = (event) => event.detail === 0 && set(i, !chosen.has(i)); // Enter or Space
    cell.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: data.columns, ArrowUp: -data.columns }[event.key];
      const next = i + (step ?? 0);
      if (!step || next < 0 || next >= n) return;
      event.preventDefault();
      group.focusAt = next;
      show(i);
      show(next);
      cells[next].focus();
    };
  });
  // a drag selects the cells it passes over, or deselects them if it began on a selected cell
  const under = (event) => cells.indexOf(root.elementFromPoint(event.clientX, event.clientY));
  group.onpointerdown = (event) => {
    const i = cells.indexOf(event.target);
    if (i < 0) return;
    group.painting = !chosen.has(i);
    set(i, group.painting);
    if (event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
  };
  group.onpointermove = (event) => {
    if (group.painting === undefined || !event.buttons) return;
    const i = under(event);
    if (i >= 0) set(i, group.painting);
  };
  group.onpointerup = group.onpointerleave = () => (group.painting = undefined);
}
