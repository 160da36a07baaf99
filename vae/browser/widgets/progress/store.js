// A learner's work in the browser's storage: predictions by step ("terms.2"), and his own sentences by step.
export const KEY = 'latent-space-explorer-lessons';
export const MAX_SENTENCE = 2000; // characters
const MAX_STEPS = 500, MAX_ANSWER = 400; // steps, characters
const NAME = /^[a-z0-9-]{1,40}\.\d{1,2}$/;

const NOTHING = () => ({ steps: {}, sentences: {} });

// Returns { steps: { name: { prediction, revealed } }, sentences: { name: text } }, without all that has another form.
export function checked(value) {
  const pick = (entries, check) => Object.fromEntries(Object.entries(asObject(entries)).slice(0, MAX_STEPS).filter(([name, one]) => NAME.test(name) && check(one)));
  const steps = pick(value?.steps, (one) => isText(one?.prediction, MAX_ANSWER) && typeof one.revealed === 'boolean');
  return {
    steps: Object.fromEntries(Object.entries(steps).map(([name, { prediction, revealed }]) => [name, { prediction, revealed }])),
    sentences: pick(value?.sentences, (one) => isText(one, MAX_SENTENCE)),
  };
}

const asObject = (value) => (value && typeof value === 'object' && !Array.isArray(value) ? value : {});
const isText = (value, length) => typeof value === 'string' && value.length > 0 && value.length <= length;

// Returns what is kept; nothing where storage is blocked or holds something else.
export function read(storage) {
  try {
    return checked(JSON.parse(storage().getItem(KEY)));
  } catch {
    return NOTHING();
  }
}

// Keeps a learner's work. Returns whether the browser does.
export function write(storage, work) {
  try {
    storage().setItem(KEY, JSON.stringify(work));
    return true;
  } catch {
    return false;
  }
}

export function forget(storage) {
  try {
    storage().removeItem(KEY);
  } catch { /* nothing was kept */ }
}

// Adds steps to what is kept. A prediction that has been revealed stays as it is.
export function addSteps(storage, steps) {
  const kept = read(storage);
  const added = Object.entries(steps).filter(([name, { prediction, revealed }]) => {
    const old = kept.steps[name];
    return !old?.revealed && (old?.prediction !== prediction || old?.revealed !== revealed);
  });
  if (added.length) write(storage, checked({ ...kept, steps: { ...kept.steps, ...Object.fromEntries(added) } }));
}

// Returns whether kept steps have what the host's lack, or a revealed prediction that the host's would contradict.
export function isNews(kept, steps) {
  return Object.entries(kept).some(([name, { prediction, revealed }]) => {
    const known = steps[name];
    return !known || (revealed && (!known.revealed || known.prediction !== prediction));
  });
}
