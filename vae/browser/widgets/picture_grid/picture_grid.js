// A grid of images from one sprite sheet; a click sends the index of the image.
export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector('.grid');
  grid.setAttribute('aria-label', data.name);
  parentElement.querySelector('.note').textContent = data.note;
  const columns = data.columns
    ? `repeat(${data.columns}, minmax(0, 1fr))`
    : `repeat(auto-fill, minmax(min(${data.size}px, 30%), ${data.size}px))`;
  grid.style.gridTemplateColumns = (data.row_labels ? 'minmax(52px, max-content) ' : '') + columns;
  if (data.columns) {
    grid.style.maxWidth = data.columns * (data.size + 4) + (data.row_labels ? 110 : 0) + 'px';
  }
  const focused = [...grid.querySelectorAll('.cell')].indexOf(parentElement.activeElement ?? null);
  const cells = [];
  for (let i = 0; i < data.n; i++) {
    if (data.row_labels && i % data.columns === 0) {
      const label = document.createElement('span');
      label.className = 'row-label';
      label.textContent = data.row_labels[i / data.columns];
      cells.push(label);
    }
    cells.push(cell(data, i, setTriggerValue));
  }
  grid.replaceChildren(...cells);
  if (focused >= 0) grid.querySelectorAll('.cell')[focused]?.focus(); // keep the keyboard focus
}

function cell(data, i, setTriggerValue) {
  const element = document.createElement(data.clickable ? 'button' : 'div');
  element.className = 'cell' + (i === data.selected ? ' selected' : '');
  if (data.clickable) {
    element.type = 'button';
    element.onclick = () => setTriggerValue('pick', i);
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
  const column = part(i % data.across, data.across);
  picture.style.backgroundPosition = `${column}% ${part(Math.floor(i / data.across), data.down)}%`;
  element.append(picture);
  if (data.captions) {
    const caption = document.createElement('span');
    caption.className = 'caption';
    caption.textContent = data.captions[i];
    element.append(caption);
  }
  return element;
}
