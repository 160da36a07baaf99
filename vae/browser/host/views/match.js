// The game of the page Match: sliders over the code of a hidden model, until its picture matches the target.
import { toBase64 } from '../../runtime/base64.js';
import { shuffled } from '../../runtime/random.js';
import { mount as mountMatch } from '../../widgets/match/match.js';
import { distance, score } from '../../widgets/match/score.js';
import { button, made } from '../elements.js';

const ENOUGH = 80; // %, wins a round
const START_CANDIDATES = 12; // test images, of which the one farthest from the target becomes the start
const STEPS = 100; // of a slider
const COLUMNS = ['Round', 'Model', 'Score', 'Time', 'Moves'];
const RULES = `You win a round at ${ENOUGH} %. 100 % means identical to the target, and 0 % means no closer than the start. The distance is the root mean squared error, averaged over several resolutions. All models encode the same two test images. Inactive dimensions have no slider. We reveal the models at the end.`;

export const view = {
  name: 'match', title: 'Match',
  sentence: 'Move the sliders until your picture matches the target. Each round uses a different model, whose name is hidden.',
  serves: (model) => (model.classes.length ? 'its pictures also depend on a class' : model.active.length ? '' : 'it has no active dimension'),
  show,
};

function show(element, host) {
  const board = made('div'), said = made('p', { role: 'status' }), results = made('div');
  element.append(board, said, results);
  let game = null;
  const start = async () => {
    game?.stop();
    const { seed } = host.place, mine = (game = { seed, stop() {} });
    said.textContent = '';
    const rounds = await roundsOf(host, seed);
    if (game === mine) mine.stop = play(host, { board, said, results }, rounds, seed);
  };
  const startSafely = () => start().catch((error) => (said.textContent = `The game cannot start: ${error.message}.`));
  startSafely();
  return {
    update: () => game.seed !== host.place.seed && startSafely(),
    destroy() {
      game.stop();
      game = null;
    },
  };
}

// ---- rounds

// Returns one round for each model of the data set, in random order, all with the same images for start and target.
async function roundsOf(host, seed) {
  const models = host.content.header.models.filter((model) => model.data === host.model.data && !view.serves(model));
  const images = startAndTarget(host, seed), rounds = [];
  for (const model of shuffled(models, seed)) {
    await host.load(model);
    rounds.push(roundOf(host, model, images));
  }
  return rounds;
}

// Returns two test images, far from each other.
function startAndTarget({ data, images, shape }, seed) {
  const [target, ...starts] = shuffled([...data.rows.keys()], seed).slice(0, 1 + START_CANDIDATES).map(images);
  const [start] = starts.map((x) => [x, distance({ goal: target, data: shape }, x)]).reduce((a, b) => (b[1] > a[1] ? b : a));
  return [start, target];
}

// Returns { model, decode, start, goal, sliders, startDistance }. Inactive dimensions have no slider, so the start takes
// their values from the target.
function roundOf({ mailbox, shape }, model, images) {
  const { decoder } = mailbox.models.get(model.name), [from, target] = images.map((x) => Array.from(decoder.encode(x, 0).mean));
  const start = from.map((value, d) => (model.active.includes(d) ? value : target[d]));
  const decode = (z) => Float64Array.from(decoder.decode(z, 0)), goal = decode(target);
  const sliders = model.active.map((d, i) => {
    const dim = model.dims.find(({ index }) => index === d);
    const low = Math.min(dim.low, start[d], target[d]), high = Math.max(dim.high, start[d], target[d]);
    return { index: d, name: `slider ${i + 1}`, low, high, step: (high - low) / STEPS };
  });
  return { model, decode, start, goal, sliders, startDistance: distance({ goal, data: shape }, decode(start)) };
}

// ---- play

// Plays the rounds one after the other, then shows the models. Returns the function that ends the game.
function play(host, { board, said, results }, rounds, seed) {
  const finished = [], { shape } = host, rules = made('p', { className: 'caption', textContent: `${RULES} Seed ${seed}.` });
  results.replaceChildren(rules);
  const props = () => {
    const i = finished.length, { model, start, goal, sliders, startDistance } = rounds[i];
    return {
      round: `${seed} ${i}`, title: `Model ${i + 1} of ${rounds.length}`, sliders, start, weights: model.name, files: null,
      target: toBase64(Uint8ClampedArray.from(goal, (value) => 255 * value)), start_distance: startDistance, enough: ENOUGH,
      ...shape, no_number: 'This model returns a value that is not a finite number at this z.',
    };
  };
  const widget = mountMatch(board, props(), (_, { z, seconds, moves }) => {
    const { model, decode, goal, startDistance } = rounds[finished.length];
    finished.push({ model, seconds, moves, score: score({ goal, data: { ...shape, start_distance: startDistance } }, decode(z)) });
    const done = finished.length === rounds.length, last = finished.at(-1);
    said.textContent = `Round ${finished.length}: ${last.score.toFixed(0)} % in ${last.seconds.toFixed(0)} s.`;
    results.replaceChildren(...(done ? reveal(host, finished) : []), table(finished, done, host), ...(done ? [] : [rules]));
    if (done) widget.destroy();
    else widget.update(props());
  }, host.mailbox);
  return () => widget.destroy();
}

function reveal(host, finished) {
  const won = finished.filter((one) => one.score >= ENOUGH).sort((a, b) => a.seconds - b.seconds);
  const text = won.length ? `Your quickest match: ${won[0].model.title}, ${won[0].score.toFixed(0)} % in ${won[0].seconds.toFixed(0)} s.` : 'You matched no target.';
  return [
    made('h3', { textContent: 'The models' }), made('p', { textContent: text }),
    made('div', { className: 'row' }, button('Play again', () => host.set({ seed: host.place.seed + 1 }), { className: 'primary' })),
  ];
}

// Names stay hidden until the game is over.
function table(finished, done, host) {
  const cells = (tag, values) => made('tr', {}, ...values.map((value) => made(tag, {}, value)));
  const name = ({ name: model, title, start }, i) => (done ? made('a', { textContent: title, href: host.address({ view: 'sliders', model, ...start }) }) : `model ${i + 1}`);
  const rows = finished.map(({ model, score: reached, seconds, moves }, i) => cells('td', [
    String(i + 1), name(model, i), `${reached.toFixed(1)} %${reached >= ENOUGH ? ', won' : ''}`, `${seconds.toFixed(1)} s`, String(moves),
  ]));
  return made('table', {}, made('thead', {}, cells('th', COLUMNS)), made('tbody', {}, ...rows));
}
