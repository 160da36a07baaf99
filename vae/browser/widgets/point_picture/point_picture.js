// The picture of a latent point. Emits: painted, when the first picture is. Its props are those of pages/components/widgets/point.py.
import { fromBase64 } from '../../runtime/base64.js';
import { loadModel } from '../../runtime/load_model.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { paintPicture } from '../../runtime/pixels.js';
import { createRoot } from '../../runtime/root.js';
import css from './point_picture.css';

const HTML = '<figure><canvas class="picture" role="img"></canvas><figcaption></figcaption></figure>';

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, HTML, css);
  const abort = new AbortController();
  let shown = props;
  loadModel(mailbox, shown.weights, shown.files);
  show(root, shown, emit, mailbox);
  hear(mailbox, 'model', (name) => name === shown.weights && show(root, shown, emit, mailbox), abort.signal);
  return {
    update(next) {
      shown = next;
      loadModel(mailbox, shown.weights, shown.files);
      show(root, shown, emit, mailbox);
    },
    destroy() {
      abort.abort();
      root.replaceChildren();
    },
  };
}

function show(root, props, emit, mailbox) {
  const canvas = root.querySelector('canvas'), caption = root.querySelector('figcaption');
  canvas.setAttribute('aria-label', props.caption);
  caption.textContent = props.caption;
  const { decoder, reason } = mailbox.models.get(props.weights) ?? {};
  let finite = true;
  if (decoder) finite = paintPicture(canvas, decoder.decode(props.z, props.y), 255, props);
  else if (props.pixels) paintPicture(canvas, fromBase64(props.pixels), 1, props);
  else if (reason) caption.textContent = `The browser cannot decode this model: ${reason}`;
  else return; // the weights are on their way
  if (!finite) caption.textContent = props.no_number;
  if (!canvas.dataset.painted) emit('painted');
  canvas.dataset.painted = Number(canvas.dataset.painted ?? 0) + 1; // read by the browser tests
}
