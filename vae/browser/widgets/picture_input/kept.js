// The visitor's last pictures, which the tab keeps.
import { rasterise } from '../../runtime/strokes.js';
import { paint } from './stages.js';
import { say } from './words.js';

const THUMBNAIL = 112; // px
const REMOVED = 'Your pictures are removed from this tab.';

// use(id) takes a picture.
export function createKept(input, use) {
  const { find, memory } = input, list = find('.kept');
  const show = () => {
    const pictures = memory.list().map(({ id }) => memory.find(id)).filter(Boolean);
    list.replaceChildren(...pictures.map((picture) => button(picture, input.props.choice.id, use)));
    find('.none').hidden = pictures.length > 0;
    find('.forget').hidden = !pictures.length;
  };
  find('.forget').onclick = () => {
    memory.clear();
    show();
    say(input, input.current ? `${REMOVED} The picture in use stays in use until you choose another one or leave.` : REMOVED);
  };
  return { show };
}

function button({ id, name, kind, content }, current, use) {
  const element = Object.assign(document.createElement('button'), { type: 'button', className: 'mine', title: name });
  if (id === current) element.setAttribute('aria-current', 'true');
  element.onclick = () => use(id);
  element.append(kind === 'strokes' ? drawn(content) : Object.assign(new Image(), { src: content, alt: '' }));
  element.append(Object.assign(document.createElement('span'), { textContent: name }));
  return element;
}

function drawn(strokes) {
  const canvas = document.createElement('canvas');
  paint(canvas, rasterise(strokes, THUMBNAIL));
  return canvas;
}
