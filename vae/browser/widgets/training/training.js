// A training as it goes on: its latent plane, the terms of its loss, the images that it reconstructs and samples; and the
// film of its snapshots.
// Emits: act {film, action, beta}, where action is start, pause, go, batch, epoch or stop; beta {film, value};
// missing {film, after}, if snapshots after this step have not arrived. Its props are those of
// pages/components/train/panel.py.
import { createMailbox } from '../../runtime/mailbox.js';
import { createRoot } from '../../runtime/root.js';
import { drawBars, drawCurves, valueAt } from './charts.js';
import { completeUntil, createFilm, highestKl, takeFrames } from './film.js';
import { saveGif } from './film_file.js';
import { createPictures } from './pictures.js';
import { animate, drawSoon, resize } from './view.js';
import css from './training.css';
import html from './training.html';

const FILM_SECONDS = 12; // of a film that plays
const PATIENCE = 1500; // ms until missing snapshots are requested again
const MAIN = { idle: ['start', 'Start training'], running: ['pause', 'Pause'], paused: ['go', 'Go on'] };
const TERMS = { recon: 'Reconstruction error', kl: 'KL' };
const LEAST_KL = 1; // nats, of the bars' axis

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const view = createView(root, emit, mailbox, abort.signal);
  root.training = view; // read by the browser tests
  update(view, props);
  return {
    update: (next) => update(view, next),
    destroy() {
      abort.abort();
      stopPlaying(view);
      root.replaceChildren();
    },
  };
}

function createView(root, emit, mailbox, signal) {
  const find = (selector) => root.querySelector(selector);
  const view = {
    root, emit, mailbox, signal, find, canvas: find('.plane'), time: find('.time'), main: find('.main'),
    beta: find('.beta input'), film: createFilm(''), at: -1, following: true, playing: null, asked: -Infinity,
    pictures: createPictures(),
  };
  view.main.onclick = () => act(view, view.main.dataset.action);
  for (const button of root.querySelectorAll('[data-action]:not(.main)')) button.onclick = () => act(view, button.dataset.action);
  view.beta.oninput = () => {
    showBeta(view);
    if (view.data.phase !== 'idle') emit('beta', { film: view.film.id, value: betaOf(view) });
  };
  view.time.oninput = () => {
    stopPlaying(view);
    goTo(view, Number(view.time.value));
  };
  find('.play').onclick = () => (view.playing ? stopPlaying(view) : play(view));
  find('.save').onclick = () => save(view);
  const observer = new ResizeObserver(() => resize(view));
  observer.observe(view.canvas);
  signal.addEventListener('abort', () => observer.disconnect());
  return view;
}

function update(view, props) {
  const before = view.data;
  view.data = props;
  if (view.film.id !== props.film) changeFilm(view);
  const changed = takeFrames(view.film, props);
  requestMissing(view);
  if (before?.beta_version !== props.beta_version) view.beta.value = nearest(props.betas, props.beta);
  showControls(view);
  showClasses(view);
  if (changed || view.at < 0) goTo(view, view.following ? view.film.frames.length - 1 : Math.min(view.at, view.film.frames.length - 1));
  else showCurves(view);
}

// A page that is opened again still has the snapshots that its browser tab has received.
function changeFilm(view) {
  const { data: { film }, mailbox: { memory } } = view, kept = memory.get('training');
  view.film = kept?.id === film ? kept : createFilm(film);
  memory.set('training', view.film);
  stopPlaying(view);
  view.pictures.forget();
  view.following = true;
  view.at = -1;
  view.to = view.wanted = null;
}

function requestMissing(view) {
  const after = completeUntil(view.film), now = performance.now();
  if (after === null || now - view.asked < PATIENCE) return;
  view.asked = now;
  view.emit('missing', { film: view.film.id, after });
}

// ---- controls

function act(view, action) {
  view.emit('act', { film: view.film.id, action, beta: betaOf(view) });
  for (const button of view.find('.actions').children) button.disabled = true; // until the host answers
}

const betaOf = ({ beta, data }) => data.betas[Number(beta.value)];
const nearest = (values, value) => values.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(values[best] - value) ? i : best), 0);

function showControls(view) {
  const { data, main, find, beta } = view, [action, text] = MAIN[data.phase];
  main.dataset.action = action;
  main.textContent = text;
  main.disabled = data.phase === 'idle' ? !data.can_start : !data.can_act;
  main.classList.toggle('primary', data.phase === 'idle');
  for (const name of ['batch', 'epoch']) find(`[data-action=${name}]`).disabled = !data.can_act;
  find('[data-action=stop]').disabled = !data.can_stop;
  find('.actions').style.display = data.watched ? 'none' : ''; // a training in somebody's own loop
  find('.status').textContent = data.status;
  beta.max = data.betas.length - 1;
  find('.beta').hidden = !data.has_beta;
  showBeta(view);
}

function showBeta(view) {
  const text = String(betaOf(view));
  view.find('.beta output').textContent = text;
  view.beta.setAttribute('aria-valuetext', `beta ${text}`);
}

function showClasses({ data, find }) {
  const legend = find('.legend');
  if (legend.dataset.shown === data.film) return;
  legend.dataset.shown = data.film;
  legend.replaceChildren(...data.classes.slice(0, data.classes.length > 1 ? undefined : 0).map((name, label) => {
    const entry = document.createElement('span'), swatch = document.createElement('i');
    swatch.className = 'swatch';
    swatch.style.background = data.colours[label];
    entry.append(swatch, name);
    return entry;
  }));
}

// ---- the film

// Shows the i-th snapshot; -1 where there is none yet.
function goTo(view, i) {
  const { film: { frames }, time, find } = view, last = frames.length - 1;
  view.following = i >= last;
  time.max = Math.max(0, last);
  time.value = i;
  for (const control of [time, find('.play'), find('.save')]) control.disabled = last < 1;
  view.at = i;
  const frame = frames[i];
  showImages(view, frame);
  showCurves(view);
  if (!frame) return drawSoon(view);
  time.setAttribute('aria-valuetext', `step ${frame.step.toLocaleString('en')}`);
  animate(view, frame);
}

function showImages({ data, find }, frame) {
  const images = { originals: data.originals, reconstructions: frame?.reconstructions, samples: frame?.samples };
  for (const [name, content] of Object.entries(images)) {
    const image = find(`.${name}`);
    image.hidden = !content;
    image.previousElementSibling.hidden = !content;
    if (content) image.src = `data:image/webp;base64,${content}`;
    image.classList.toggle('crisp', data.crisp);
  }
}

function showCurves({ data: { curve, has_kl: hasKl }, film, at, find }) {
  const frame = film.frames[at], step = frame?.step ?? 0;
  for (const key of ['recon', 'kl']) {
    const section = find(`section.${key}`), shown = key === 'recon' || hasKl;
    section.hidden = !shown;
    if (!shown) continue;
    const [train, validation] = [`train_${key}`, key].map((name) => valueAt(curve, name, step));
    const figures = `training ${figure(train)}, validation ${figure(validation)}`;
    for (const [name, value] of [['train', train], ['validation', validation]]) section.querySelector(`.${name} b`).textContent = figure(value);
    section.querySelector('svg').setAttribute('aria-label', `${TERMS[key]} over the steps: ${figures} nats at step ${step}`);
    drawCurves(section.querySelector('svg'), curve, [[`train_${key}`, 'train'], [key, 'validation']], { at: step, zero: key === 'kl' });
  }
  find('section.bars').hidden = !hasKl || !frame;
  if (hasKl && frame) {
    drawBars(find('section.bars svg'), frame.kl, highestKl(film, LEAST_KL));
    find('section.bars svg').setAttribute('aria-label', `KL per dimension: ${frame.kl.map((v, d) => `${d}: ${figure(v)}`).join(', ')} nats`);
  }
  find('.now').textContent = frame ? `Step ${frame.step.toLocaleString('en')}, ${frame.images.toLocaleString('en')} images, validation loss ${figure(frame.loss)} nats` : '';
}

const figure = (value) => (value === null ? '–' : value.toPrecision(value < 10 ? 2 : 4).replace(/\.0+$/, ''));

function play(view) {
  const { frames } = view.film, begun = performance.now();
  const start = view.at >= frames.length - 1 ? 0 : view.at;
  const pace = (FILM_SECONDS * 1000) / frames.length;
  const tick = (now) => {
    const i = Math.min(view.film.frames.length - 1, start + Math.floor(Math.max(0, now - begun) / pace));
    if (i !== view.at) goTo(view, i);
    if (view.following) stopPlaying(view);
    else view.playing = requestAnimationFrame(tick);
  };
  goTo(view, start);
  view.playing = requestAnimationFrame(tick);
  showPlaying(view);
}

function stopPlaying(view) {
  cancelAnimationFrame(view.playing);
  view.playing = null;
  showPlaying(view);
}

function showPlaying({ playing, find }) {
  find('.play').textContent = playing ? 'Stop' : 'Play';
  find('.play').setAttribute('aria-label', playing ? 'stop the film' : 'play the film');
}

async function save(view) {
  const button = view.find('.save');
  button.disabled = true;
  button.textContent = 'Saving …';
  try {
    await saveGif(view);
  } finally {
    button.textContent = 'Save GIF';
    button.disabled = false;
  }
}
