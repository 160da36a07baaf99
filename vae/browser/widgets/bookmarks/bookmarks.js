// Named places of z, kept in this browser. Emits nothing. Its props are those of
// pages/components/bridge/toolbar.py.
import { download } from '../../runtime/download.js';
import { createRoot } from '../../runtime/root.js';
import css from './bookmarks.css';
import { MAX_NAME, add, asList, currentLink, read, remove } from './store.js';

const HTML = `<form><input type="text" maxlength="${MAX_NAME}" required aria-label="Name of the bookmark" placeholder="Name">
<button type="submit">Save</button></form>
<p class="note" role="status"></p>
<ul></ul>
<button type="button" class="export">Export links</button>`;
const storage = () => window.localStorage;

export function mount(element, props) {
  const root = createRoot(element, HTML, css);
  const find = (selector) => root.querySelector(selector);
  const { base } = props;
  let { picture } = props;

  function show(bookmarks) {
    find('.note').textContent = bookmarks ? '' : 'This browser does not keep bookmarks for this site.';
    find('ul').replaceChildren(...(bookmarks ?? []).map((bookmark) => item(bookmark)));
    find('.export').hidden = !bookmarks?.length;
  }
  function item(bookmark) {
    const row = document.createElement('li'), anchor = document.createElement('a'), button = document.createElement('button');
    anchor.href = base + bookmark.link;
    anchor.target = '_self';
    anchor.textContent = bookmark.name;
    button.type = 'button';
    button.textContent = '×';
    button.setAttribute('aria-label', `Remove ${bookmark.name}`);
    button.addEventListener('click', () => show(remove(storage, bookmark.name)));
    row.append(anchor, button);
    return row;
  }
  find('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = find('input');
    if (!field.value.trim()) return;
    show(add(storage, field.value, currentLink(location, base), picture));
    field.value = '';
  });
  find('.export').addEventListener('click', () => {
    download(asList(read(storage), location.origin + base), 'text/plain', 'bookmarks.txt');
  });
  show(read(storage));
  return { update: (next) => ({ picture } = next), destroy: () => root.replaceChildren() };
}
