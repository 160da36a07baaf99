// One round of the game: a target, sliders over a code, a live score. A running round survives an update, and a finished
// one stays until the player goes on, if the props say that the next round follows it. Emits: ask {panel, seq, round, z} and finished {round, z, moves, seconds}. Its props are those of
// pages/components/match/panel.py.
import { fromBase64 } from '../../runtime/base64.js';
import { loadModel } from '../../runtime/load_model.js';
import { createMailbox, hear } from '../../runtime/mailbox.js';
import { paintPicture, pictureOf } from '../../runtime/pixels.js';
import { createQuestions } from '../../runtime/questions.js';
import { createRoot } from '../../runtime/root.js';
import { undoKey } from '../../runtime/undo_key.js';
import css from './match.css';
import html from './match.html';
import { score, text } from './score.js';

const MAX_KEY_GAP = 600; // ms between arrow keys that count as one move

export function mount(element, props, emit, mailbox = createMailbox()) {
  const root = createRoot(element, html, css);
  const abort = new AbortController();
  const game = createGame(root, emit, mailbox, abort.signal);
  const clock = setInterval(tick, 250, game);
  update(game, props);
  return {
    update: (next) => update(game, next),
    destroy() {
      abort.abort();
      clearInterval(clock);
      root.replaceChildren();
    },
  };
}

function update(game, props) {
  const before = game.data;
  if (before && game.ended && props.follows === before.round) return rest(game, props);
  game.data = props;
  if (!before || before.round !== props.round) startRound(game);
  else loadModel(game.mailbox, props.weights, props.files);
}

// Leaves the end of a round in sight until the player goes on to the next one.
function rest(game, next) {
  loadModel(game.mailbox, next.weights, next.files);
  game.next.onclick = () => {
    game.data = next;
    startRound(game);
    game.rows[0]?.input.focus();
  };
  if (!game.next.hidden) return;
  [game.next.hidden, game.done.hidden] = [false, true];
  game.next.focus(); // the slider in hand can be moved no more
}

function createGame(root, emit, mailbox, signal) {
  const find = (selector) => root.querySelector(selector);
  const game = {
    emit, mailbox, title: find('.title'), target: find('.target'), yours: find('.yours'), meter: find('meter'),
    points: find('.points'), clock: find('.clock'), moves: find('.moves'), sliders: find('.sliders'), undo: find('.undo'),
    line: find('.line'), more: find('.more'), done: find('.done'), next: find('.next'),
  };
  game.undo.onclick = () => undo(game);
  game.done.onclick = () => finish(game);
  game.more.onclick = () => showSliders(game, true);
  root.addEventListener('keydown', (event) => {
    if (undoKey(event) !== 'undo') return;
    event.preventDefault();
    undo(game);
  }, { signal });
  game.questions = createQuestions(mailbox, (question) => emit('ask', { ...question, round: game.data.round }), signal);
  hear(mailbox, 'model', (name) => name === game.data.weights && show(game), signal);
  return game;
}

function startRound(game) {
  const { data } = game;
  game.title.textContent = data.title;
  loadModel(game.mailbox, data.weights, data.files);
  game.z = data.start.slice();
  game.past = [];
  game.last = game.held = null;
  game.begun = game.ended = null;
  game.questions.forget();
  game.score = 0;
  game.done.disabled = false;
  [game.next.hidden, game.done.hidden] = [true, false];
  game.line.textContent = '';
  const pixels = fromBase64(data.target);
  game.goal = Float64Array.from(pixels, (v) => v / 255);
  paintPicture(game.target, pixels, 1, data);
  game.rows = data.sliders.map((slider) => {
    const label = document.createElement('label');
    label.innerHTML = '<span></span><input type="range"><output></output>';
    const [name, input, output] = label.children;
    name.textContent = slider.name;
    Object.assign(input, { min: slider.low, max: slider.high, step: slider.step, value: game.z[slider.index] });
    input.setAttribute('aria-label', slider.name);
    input.oninput = () => {
      if (game.ended) return;
      game.begun ??= performance.now();
      game.held ??= game.z.slice(); // the start of this movement
      game.z[slider.index] = Number(input.value);
      output.textContent = text(slider, game.z[slider.index]);
      show(game);
    };
    input.onchange = () => released(game, slider.index);
    output.textContent = text(slider, game.z[slider.index]);
    return { slider, input, output };
  });
  game.sliders.replaceChildren(...game.rows.map(({ input }) => input.parentElement));
  showSliders(game, data.sliders.length <= data.shown_first + 1);
  showHistory(game);
  show(game);
}

// Shows the sliders of the dimensions that carry most, or all of them.
function showSliders(game, all) {
  game.rows.forEach(({ input }, i) => (input.parentElement.hidden = !all && i >= game.data.shown_first));
  const wasFocused = game.more.matches(':focus');
  game.more.hidden = all;
  game.more.textContent = `${game.rows.length - game.data.shown_first} more dimensions`;
  if (wasFocused && all) game.rows[game.data.shown_first].input.focus();
}

function released(game, index) {
  if (game.ended || !game.held) return;
  // repeated arrow keys on one slider are one move
  const again = game.last?.index === index && performance.now() - game.last.at < MAX_KEY_GAP;
  if (!again) game.past.push(game.held);
  game.last = { index, at: performance.now() };
  game.held = null;
  showHistory(game);
}

function undo(game) {
  if (!game.past.length || game.ended) return;
  game.z = game.past.pop();
  game.last = null;
  for (const { slider, input, output } of game.rows) {
    input.value = game.z[slider.index];
    output.textContent = text(slider, game.z[slider.index]);
  }
  showHistory(game);
  show(game);
}

function finish(game) {
  if (game.ended) return;
  game.ended = performance.now();
  for (const control of [game.done, game.undo, ...game.rows.map(({ input }) => input)]) control.disabled = true;
  game.line.textContent = game.score >= game.data.enough ? 'Matched.' : `Finished. A match needs ${game.data.enough} %.`;
  game.emit('finished', {
    round: game.data.round, z: game.z, moves: game.past.length, seconds: game.begun ? (game.ended - game.begun) / 1000 : 0,
  });
}

function showHistory(game) {
  game.undo.disabled = !game.past.length;
  game.moves.textContent = game.past.length === 1 ? '1 move' : `${game.past.length} moves`;
}

function tick(game) {
  if (game.begun) game.clock.textContent = `${Math.round(((game.ended ?? performance.now()) - game.begun) / 1000)} s`;
  else game.clock.textContent = '0 s';
}

// ---- the picture

function show(game) {
  const { weights } = game.data;
  if (weights) {
    const decoder = game.mailbox.models.get(weights)?.decoder;
    if (decoder) showPicture(game, decoder.decode(game.z, 0), 255);
    return;
  }
  const z = game.z.slice();
  game.questions.ask(() => ({ z }), (answer) => showPicture(game, pictureOf(answer, 0), 1));
}

function showPicture(game, values, scale) {
  const finite = paintPicture(game.yours, values, scale, game.data);
  game.score = finite ? score(game, Float64Array.from(values, (v) => (v * scale) / 255)) : 0;
  const isMatch = game.past.length > 0 && game.score >= game.data.enough;
  if (!game.ended) game.line.textContent = !finite ? game.data.no_number : isMatch ? 'A match. Finish this round, or go on.' : '';
  game.points.textContent = Math.floor(game.score);
  game.meter.value = game.score;
  game.yours.dataset.score = game.score.toFixed(3); // read by the browser tests
}
