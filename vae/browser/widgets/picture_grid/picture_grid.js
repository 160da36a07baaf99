// A grid of images from one sprite sheet: samples, neighbours, or the steps of an interpolation.
// Emits: pick, the index of an image. Its props are those of pages/components/widgets/picture_grid.py; cells: where each
// image is on the sheet, null for one after the other.
import { createRoot } from '../../runtime/root.js';
import css from './picture_grid.css';

const MIN_SIZE = 56; // px of a picture, where a row may be broken
const GAP = 4; // px, as in the stylesheet
const HTML = '<div class="grid" role="group"></div><p class="note" role="status"></p>';

export function mount(element, props, emit) {
  const root = createRoot(element, HTML, css);
  show(root, props, emit);
  return { update: (next) => show(root, next, emit), destroy: () => root.replaceChildren() };
}

function show(root, data, emit) {
  const grid = root.querySelector('.grid');
  grid.setAttribute('aria-label', data.name);
  root.querySelector('.note').textContent = data.note;
  const narrowest = data.wrap ? `max(${MIN_SIZE}px, calc(100% / ${data.columns} - ${GAP}px))` : 0;
  const columns = data.columns
    ? `repeat(${data.wrap ? 'auto-fill' : data.columns}, minmax(${narrowest}, 1fr))`
    : `repeat(auto-fill, minmax(min(${data.size}px, 30%), ${data.size}px))`;
  grid.style.gridTemplateColumns = (data.row_labels ? 'minmax(52px, max-content) ' : '') + columns;
  if (data.columns) {
    grid.style.maxWidth = data.columns * (data.size + GAP) + (data.row_labels ? 110 : 0) + 'px';
  }
  const focused = [...grid.querySelectorAll('.cell')].indexOf(root.activeElement);
  const cells = [];
  for (let i = 0; i < data.n; i++) {
    if (data.row_labels && i % data.columns === 0) {
      const label = document.createElement('span');
      label.className = 'row-label';
      label.textContent = data.row_labels[i / data.columns];
      cells.push(label);
    }
    cells.push(cell(data, i, emit));
  }
  grid.replaceChildren(...cells);
  if (focused >= 0) grid.querySelectorAll('.cell')[focused]?.focus(); // keep the keyboard focus
}

function cell(data, i, emit) {
  const element = document.createElement(data.clickable ? 'button' : 'div');
  element.className = 'cell' + (i === data.selected ? ' selected' : '');
  if (data.clickable) {
    element.type = 'button';
    element.onclick = () => emit('pick', i);
    if (i === data.selected) element.setAttribute('aria-current', 'true');
  }
  element.title = data.labels[i];
  const picture = document.createElement('span');
  picture.className = 'picture' + (data.height < 64 ? ' crisp' : '');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', data.labels[i]);
  picture.style.aspectRatio = `${data.width} / ${data.height}`;
  if (data.missing.includes(i)) picture.classList.add('missing');
  else picture.style.backgroundImage = `url(${data.sheet})`;
  picture.style.backgroundSize = `${data.across * 100}% ${data.down * 100}%`;
  const part = (k, n) => (n > 1 ? (100 * k) / (n - 1) : 0);
  const at = data.cells ? data.cells[i] : i, column = part(at % data.across, data.across);
  picture.style.backgroundPosition = `${column}% ${part(Math.floor(at / data.across), data.down)}%`;
  element.append(picture);
  if (data.captions) {
    const caption = document.createElement('span');
    caption.className = 'caption';
    caption.textContent = data.captions[i];
    element.append(caption);
  }
  return element;
}
