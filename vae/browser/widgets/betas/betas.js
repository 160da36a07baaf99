// The image that goes through the widget "inside", reconstructed at the posterior mean by models of other betas. Their
// networks are fetched when the pictures first come into view. Emits nothing. Its props are those of
// pages/components/inside/betas.py.
import { forwardPass, isFinitePass, notSupported } from '../../runtime/forward_pass.js';
import { fetchModel } from '../../runtime/load_model.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { paintPicture } from '../../runtime/pixels.js';
import { createRoot } from '../../runtime/root.js';
import { createTasks } from '../../runtime/tasks.js';
import css from './betas.css';

const FIGURE = '<canvas class="picture" role="img"></canvas><figcaption><b></b><br><span class="terms"></span><br><span class="active"></span></figcaption>';

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, '<div class="betas"></div>', css);
  const abort = new AbortController(), tasks = createTasks();
  const betas = { box: root.querySelector('.betas'), data: null, networks: [], tasks, mailbox, inView: false };
  root.betas = betas; // read by the browser tests
  hear(mailbox, 'inside', () => showAll(betas), abort.signal);
  const observer = new IntersectionObserver((entries) => {
    betas.inView = entries.some((entry) => entry.isIntersecting);
    showAll(betas);
  });
  observer.observe(betas.box);
  update(betas, props);
  return {
    update: (next) => update(betas, next),
    destroy() {
      abort.abort();
      observer.disconnect();
      tasks.stop();
      root.replaceChildren();
    },
  };
}

function update(betas, props) {
  if (JSON.stringify(betas.data) === JSON.stringify(props)) return;
  betas.data = props;
  betas.networks = props.models.map(() => null);
  betas.box.replaceChildren(...props.models.map(figureOf));
  showAll(betas);
}

function figureOf({ beta, here, active }) {
  const figure = document.createElement('figure');
  figure.innerHTML = FIGURE;
  figure.classList.toggle('here', here);
  figure.querySelector('canvas').setAttribute('aria-label', `the image reconstructed by the model of beta ${beta}`);
  figure.querySelector('b').textContent = `beta ${beta}`;
  figure.querySelector('.active').textContent = `${active} active dimensions`;
  return figure;
}

// Shows the image under each model that is there, one model after the other, and has the others fetched.
function showAll(betas) {
  const { data, mailbox, networks, inView, tasks } = betas, image = mailbox.memory.get('inside');
  if (!inView || image?.model !== data.model) return;
  networks.forEach((network, i) => network ?? load(betas, i));
  tasks.later(shown(betas, image.x));
}

function* shown({ networks, box, data }, x) {
  for (const [i, { model, reason }] of networks.entries()) {
    const terms = box.children[i].querySelector('.terms');
    if (model) terms.textContent = show(box.children[i].querySelector('canvas'), model, x, data.no_number);
    else if (reason) terms.textContent = `The browser cannot run this model: ${reason}.`;
    yield;
  }
}

// Paints the reconstruction and returns the sentence below it.
function show(canvas, model, x, noNumber) {
  const pass = forwardPass(model, x), finite = isFinitePass(pass);
  paintPicture(canvas, finite ? pass.mean : pass.mean.fill(NaN), 255, model);
  if (!finite) return noNumber;
  const rate = model.file.capabilities.has_elbo ? `KL ${pass.kl.toFixed(1)}` : 'no KL';
  return `${rate}, reconstruction error ${pass.recon.toFixed(1)} nats`;
}

// Fetches the i-th model; `networks` is another list if other props have arrived in the meantime.
async function load(betas, i) {
  const { networks, data } = betas;
  networks[i] = {};
  try {
    const model = await fetchModel(data.models[i].files);
    networks[i] = { model, reason: notSupported(model) };
    if (networks[i].reason) networks[i].model = null;
  } catch (error) {
    networks[i] = { reason: error.message };
  }
  if (networks === betas.networks) showAll(betas);
}
