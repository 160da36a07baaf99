// The game of the page Match: sliders over the code of a model, until its image matches the target. Several models of a
// data set play one round each, hidden; a single one plays several rounds, each with its own two images.
import { toBase64 } from '../../runtime/base64.js';
import { shuffled } from '../../runtime/random.js';
import { mount as mountMatch } from '../../widgets/match/match.js';
import { distance, score, worstOf } from '../../widgets/match/score.js';
import { button, made } from '../elements.js';

const ENOUGH = 80; // %, wins a round
const ROUNDS = 3; // of a single model
const START_CANDIDATES = 12; // test images, of which the one farthest from the target becomes the start
const STEPS = 100; // of a slider
const SHOWN_FIRST = 4; // sliders, of the dimensions that carry most, before "more dimensions"
const SCORING = `You win a round at ${ENOUGH} %. 100 % is as close as the model’s reconstruction of the target. 0 % is no closer than the average image or a plain one. The distance is the root mean squared error, averaged over several resolutions. Inactive dimensions have no slider.`;
const HIDDEN = 'Each round uses a different model, whose name is hidden. All models start from the same test image and have the same target. We reveal the models at the end.';
const ALONE = 'Each round has its own two test images.';

export const view = {
  name: 'match', title: 'Match', sentence: 'Move the sliders until your image matches the target.',
  terms: ['dimension'],
  serves: (model) => (model.reason ? 'a browser cannot run it' : model.classes.length ? 'its images also depend on a class' : model.active.length ? '' : 'it has no active dimension'),
  show,
};

// Keeps each game on the host, so that a visitor who leaves the view and returns can go on with it.
function show(element, host) {
  const { games } = host, keyNow = () => `${host.model.data} ${host.place.seed}`;
  let key = null;
  const showGame = async () => {
    const mine = (key = keyNow()), isNew = !games.has(mine);
    if (isNew) {
      const rounds = await roundsOf(host, host.place.seed);
      if (key !== mine) return; // the visitor has left, or chosen another seed
      games.set(mine, createGame(host, rounds, () => {
        games.get(mine).destroy();
        games.delete(mine);
        host.set({ seed: host.place.seed + 1 });
      }));
    }
    const isAgain = element.contains(document.activeElement); // "Play again", which goes away
    element.replaceChildren(games.get(mine).element);
    if (isAgain) games.get(mine).focus();
  };
  const fail = (error) => element.replaceChildren(made('p', { role: 'alert', textContent: `The game cannot start: ${error.message}.` }));
  const showSafely = () => showGame().catch((error) => key && fail(error));
  showSafely();
  return {
    update: () => key !== keyNow() && showSafely(),
    destroy: () => (key = null),
  };
}

// ---- rounds

// Returns the rounds: one for each model of the data set, in random order, all with the same images for start and target;
// or ROUNDS of a single model, with different images.
async function roundsOf(host, seed) {
  const { mailbox, shape, data, images } = host; // loading takes time, and the visitor may choose another model meanwhile
  const models = host.content.header.models.filter((model) => model.data === host.model.data && !view.serves(model));
  for (const model of models) await host.load(model);
  const order = shuffled([...data.rows.keys()], seed), average = averageOf(order.map(images));
  const round = (model, rows) => roundOf({ mailbox, shape, average }, model, startAndTarget({ images, shape }, rows));
  if (models.length > 1) return shuffled(models, seed).map((model) => round(model, order));
  return Array.from({ length: ROUNDS }, (_, i) => {
    const from = Math.floor((i * order.length) / ROUNDS);
    return round(models[0], [...order.slice(from), ...order.slice(0, from)]);
  });
}

// Returns two test images, far from each other. order: of the test images, the target first
function startAndTarget({ images, shape }, order) {
  const [target, ...starts] = order.slice(0, 1 + START_CANDIDATES).map(images);
  const [start] = starts.map((x) => [x, distance({ goal: target, data: shape }, x)]).reduce((a, b) => (b[1] > a[1] ? b : a));
  return [start, target];
}

function averageOf(images) {
  const total = new Float64Array(images[0].length);
  for (const x of images) x.forEach((value, at) => (total[at] += value / images.length));
  return total;
}

// Returns { model, decode, start, goal, sliders, ends }, where ends are the distances that score 0 and 100. Inactive
// dimensions have no slider, so the start takes their values from the target.
function roundOf({ mailbox, shape, average }, model, images) {
  const { decoder } = mailbox.models.get(model.name), [from, target] = images.map((x) => Array.from(decoder.encode(x, 0).mean));
  const start = from.map((value, d) => (model.active.includes(d) ? value : target[d]));
  const decode = (z) => Float64Array.from(decoder.decode(z, 0)), goal = images[1], game = { goal, data: shape };
  const sliders = model.active.map((d, i) => {
    const dim = model.dims.find(({ index }) => index === d);
    const low = Math.min(dim.low, start[d], target[d]), high = Math.max(dim.high, start[d], target[d]);
    return { index: d, name: `slider ${i + 1}`, low, high, step: (high - low) / STEPS };
  });
  return { model, decode, start, goal, sliders, ends: { worst: worstOf(game, average), best: distance(game, decode(target)) } };
}

// ---- play

// Plays the rounds one after the other, then shows the models. again() begins another game. Returns { element, focus, destroy }.
function createGame(host, rounds, again) {
  const { shape, place: { seed } } = host, finished = [], isHidden = new Set(rounds.map(({ model }) => model)).size > 1;
  const heading = made('h3', { tabIndex: -1 }), said = made('p', { role: 'status' }), next = made('div', { className: 'row' });
  const result = made('section', { hidden: true }, heading, said, next), board = made('div'), rest = made('div');
  const rules = made('p', { className: 'caption', textContent: `${SCORING} ${isHidden ? HIDDEN : ALONE} Seed ${seed}.` });
  const props = (i) => {
    const { model, start, goal, sliders, ends } = rounds[i];
    return {
      round: `${seed} ${i}`, title: `${isHidden ? 'Model' : 'Round'} ${i + 1} of ${rounds.length}`, sliders, start, weights: model.name, files: null,
      target: toBase64(Uint8ClampedArray.from(goal, (value) => 255 * value)), enough: ENOUGH, shown_first: SHOWN_FIRST,
      ...ends, ...shape, no_number: 'This model returns a value that is not a finite number at this z.',
    };
  };
  const focus = () => board.shadowRoot.querySelector('input').focus();
  const goOn = () => {
    result.hidden = true;
    widget.update(props(finished.length));
    focus();
  };
  // The board keeps the target and the visitor's image until the next round.
  const finish = (_, { z, seconds, moves }) => {
    const { model, decode, goal, ends } = rounds[finished.length];
    finished.push({ model, seconds, moves, score: score({ goal, data: { ...shape, ...ends } }, decode(z)) });
    const done = finished.length === rounds.length, results = table(finished, { done, isHidden }, host);
    result.hidden = false;
    heading.textContent = !done ? `Round ${finished.length}` : isHidden ? 'The models' : 'Your results';
    said.textContent = done ? summary(finished, isHidden) : verdict(finished.at(-1));
    next.replaceChildren(button(...(done ? ['Play again', again] : ['Next round', goOn]), { className: 'primary' }));
    rest.replaceChildren(...(done ? [] : [results, rules]));
    if (done) next.after(results);
    heading.focus();
  };
  rest.append(rules);
  const widget = mountMatch(board, props(0), finish, host.mailbox);
  return { element: made('div', {}, result, board, rest), focus, destroy: widget.destroy };
}

const isWon = ({ score: reached }) => reached >= ENOUGH;
const inWords = ({ score: reached, seconds }) => `${Math.floor(reached)} % in ${seconds.toFixed(0)} s`;
const verdict = (round) => (isWon(round) ? `You matched the target: ${inWords(round)}.` : `You reached ${Math.floor(round.score)} %. A match needs ${ENOUGH} %.`);

function summary(finished, isHidden) {
  const [quickest] = finished.filter(isWon).sort((a, b) => a.seconds - b.seconds);
  if (!quickest) return verdict(finished.reduce((a, b) => (b.score > a.score ? b : a)));
  const name = isHidden ? quickest.model.title : `round ${finished.indexOf(quickest) + 1}`;
  return `Your quickest match: ${name}, ${inWords(quickest)}.`;
}

// The names of hidden models stay hidden until the game is over.
function table(finished, { done, isHidden }, host) {
  const cells = (tag, values) => made('tr', {}, ...values.map((value) => made(tag, {}, value)));
  const name = ({ name: model, title, start }, i) => (done ? made('a', { textContent: title, href: host.address({ view: 'sliders', model, ...start }) }) : `model ${i + 1}`);
  const rows = finished.map((round, i) => cells('td', [
    String(i + 1), ...(isHidden ? [name(round.model, i)] : []), `${round.score.toFixed(1)} %${isWon(round) ? ', won' : ''}`, `${round.seconds.toFixed(1)} s`, String(round.moves),
  ]));
  return made('table', {}, made('thead', {}, cells('th', ['Round', ...(isHidden ? ['Model'] : []), 'Score', 'Time', 'Moves'])), made('tbody', {}, ...rows));
}
