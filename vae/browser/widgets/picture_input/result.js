// The result of preparing the picture in sight, and the visitor's choices.
import { prepareOwn } from './own.js';
import { showCandidates, showStages } from './stages.js';

const SOUGHT = { digit: 'writing', glyph: 'writing', garment: 'garment', shape: 'shape' }; // by the kind of the data

// commit(settings) changes the settings of the picture in sight, use() sends it.
export function createResult(input, { commit, use }) {
  const { find } = input;
  const result = { input, own: null, wanted: null, isWaiting: false, pause: 0, commit };
  find('.plain').onclick = () => commit({ plain: !result.own.settings.plain });
  find('.invert').onclick = () => commit({ invert: result.own.settings.invert === null ? !result.inverted : null });
  find('.use').onclick = () => use(result.own);
  return {
    get own() { return result.own; },
    // Returns the result of prepareOwn() for a picture, and shows it.
    show(own) {
      result.own = own;
      result.wanted = null;
      const { props } = input;
      const made = own.made?.settings === own.settings && own.made.strokes === own.strokes && own.made.data === props.data;
      if (!made) own.made = { settings: own.settings, strokes: own.strokes, data: props.data, prepared: prepareOwn(own, props) };
      showPrepared(result, own.made.prepared);
      this.offer();
      return own.made.prepared;
    },
    // Shows a picture that is still changing, as soon as there is time for it.
    preview(own, settings = own.settings) {
      result.own = own;
      result.wanted = settings;
      if (result.isWaiting) return;
      result.isWaiting = true;
      setTimeout(() => requestAnimationFrame(() => showLive(result)), result.pause);
    },
    // Offers a picture that is not in use.
    offer() {
      find('.use').hidden = !result.own || result.own.id === input.current;
    },
    hide() {
      result.own = result.wanted = null;
      find('.result').hidden = true;
    },
  };
}

// The hand has twice the time that a preview takes, so that a slow device still follows it.
function showLive(result) {
  const { own, wanted, input } = result, start = performance.now();
  result.isWaiting = false;
  if (!wanted || input.signal.aborted) return;
  showPrepared(result, prepareOwn(own, input.props, wanted, true));
  result.pause = 2 * (performance.now() - start);
}

function showPrepared(result, { stages, candidates, found, inverted, settings }) {
  const { input: { find, props }, commit } = result;
  result.inverted = inverted;
  find('.result').hidden = false;
  showStages(find('.stages'), stages);
  find('.found').textContent = foundText(props, candidates, found, settings);
  const list = find('.candidates');
  list.hidden = settings.plain || candidates.length < 2;
  list.setAttribute('aria-label', `${candidates.length} ${props.noun}`);
  showCandidates(list, candidates, settings.candidate, props.shape, (candidate) => commit({ candidate }));
  find('.plain').hidden = !(props.preparation.kind in SOUGHT);
  find('.plain').setAttribute('aria-pressed', settings.plain);
  find('.invert').hidden = result.own.kind === 'strokes'; // which of the two is ink is known
  find('.invert').setAttribute('aria-pressed', settings.invert !== null); // by hand
}

function foundText({ noun, preparation: { kind } }, candidates, found, { plain }) {
  if (plain) return '';
  if (!found) return `No ${SOUGHT[kind] ?? 'object'} found: the whole picture is used.`;
  return candidates.length > 1 ? `${candidates.length} ${noun} found. Choose one:` : '';
}
