// One round of the game: a target, sliders over a code, a live score. The default export runs again at every
// change of data; a running round keeps its state.
const MAX_KEY_GAP = 600; // ms between arrow keys that count as one move
const SCALES = [1, 2, 4, 8, 16, 32]; // of vae.metrics.multiscale_distance

export default function (component) {
  const { data, parentElement } = component;
  const game = (parentElement.match ??= createGame(parentElement));
  game.component = component;
  const before = game.data;
  game.data = data;
  if (!before || before.round !== data.round) startRound(game);
}

function createGame(root) {
  const find = (selector) => root.querySelector(selector);
  const game = {
    root, target: find('.target'), yours: find('.yours'), meter: find('meter'),
    points: find('.points'), clock: find('.clock'), moves: find('.moves'), sliders: find('.sliders'), undo: find('.undo'),
    line: find('.line'), done: find('.done'),
  };
  game.undo.onclick = () => undo(game);
  game.done.onclick = () => finish(game);
  root.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
    event.preventDefault();
    undo(game);
  });
  game.questions = createQuestions(game.yours, (question) => {
    game.component.setStateValue('ask', { ...question, round: game.data.round });
  });
  hear(game.yours, 'model', (name) => name === game.data.weights && show(game));
  const clock = setInterval(() => (game.yours.isConnected ? tick(game) : clearInterval(clock)), 250);
  return game;
}

function startRound(game) {
  const { data } = game;
  game.z = data.start.slice();
  game.past = [];
  game.last = game.held = null;
  game.begun = game.ended = null;
  game.questions.forget();
  game.score = 0;
  game.done.disabled = false;
  game.line.textContent = '';
  const pixels = Uint8Array.from(atob(data.target), (c) => c.charCodeAt(0));
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
  showHistory(game);
  show(game);
}

// in per cent of the range: integers would reveal the true factors
const text = (slider, value) => `${Math.round((100 * (value - slider.low)) / (slider.high - slider.low))} %`;

function released(game, index) {
  if (game.ended || !game.held) return;
  // repeated arrow keys on one slider are one move
  const again = game.last?.index === index && performance.now() - game.last.at < MAX_KEY_GAP;
  if (!again) game.past.push(game.held);
  game.last = { index, at: performance.now() };
  game.held = null;
  showHistory(game);
  judge(game);
}

// Ends the round at a high enough score; an image in flight is judged when it arrives.
function judge(game) {
  const { inFlight, wanted } = game.questions;
  if (!game.held && !game.ended && !inFlight && !wanted && game.past.length && game.score >= game.data.enough) finish(game);
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
  game.done.disabled = game.undo.disabled = true;
  game.line.textContent = game.score >= game.data.enough ? 'Matched.' : 'Finished.';
  game.component.setTriggerValue('finished', {
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
    const decoder = mailbox().models.get(weights)?.decoder;
    if (decoder) showPicture(game, decoder.decode(game.z, 0), 255);
    return;
  }
  const z = game.z.slice();
  game.questions.ask(() => ({ z }), (answer) => {
    showPicture(game, pictureOf(answer, 0), 1);
    judge(game);
  });
}

function showPicture(game, values, scale) {
  const finite = paintPicture(game.yours, values, scale, game.data);
  game.score = finite ? score(game, Float64Array.from(values, (v) => (v * scale) / 255)) : 0;
  if (!game.ended) game.line.textContent = finite ? '' : game.data.no_number;
  game.points.textContent = Math.floor(game.score);
  game.meter.value = game.score;
  game.yours.dataset.score = game.score.toFixed(3); // read by the browser tests
}

// Returns 100 for the target and 0 for an image that is no nearer than the start.
function score(game, values) {
  return 100 * Math.max(0, 1 - distance(game, values) / game.data.start_distance);
}

function distance({ goal, data: { height, width, channels } }, values) {
  const scales = SCALES.filter((scale) => height % scale === 0 && width % scale === 0);
  let total = 0;
  for (const scale of scales) {
    const down = height / scale, across = width / scale;
    const blocks = new Float64Array(down * across * channels);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const block = (Math.floor(y / scale) * across + Math.floor(x / scale)) * channels;
        for (let c = 0; c < channels; c++, at++) blocks[block + c] += values[at] - goal[at];
      }
    }
    let squares = 0;
    for (const sum of blocks) squares += (sum / scale ** 2) ** 2;
    total += Math.sqrt(squares / blocks.length);
  }
  return total / scales.length;
}
