// Where the visitor is: the view, the model and the point, as the part of the address after "#". The parameters are
// those of the full app's links.
import { within } from './numbers.js';
import { VIEWS } from './views.js';

const MAX_ABS = 1000; // of a value of z
export const MAX_SEED = 2 ** 31 - 1;

// text: "sliders?model=...&z=...". Returns { view, model, z, y, seed, settings }: what can be used of it, else null.
export function readPlace(text, models) {
  const [name, query = ''] = text.replace(/^#/, '').split('?');
  const parameters = new URLSearchParams(query);
  const model = models.find((one) => one.name === parameters.get('model')) ?? null;
  const settings = Object.fromEntries([...parameters].filter(([key]) => !['model', 'z', 'y', 'seed'].includes(key)));
  return {
    view: VIEWS.find((view) => view.name === name.toLowerCase())?.name ?? null, model: model?.name ?? null,
    z: readCode(parameters.get('z'), model), y: whole(parameters.get('y'), 0, (model?.classes.length || 1) - 1),
    seed: whole(parameters.get('seed'), 0, MAX_SEED), settings,
  };
}

function readCode(text, model) {
  const z = text?.split(',').map((part) => (part.trim() ? Number(part) : NaN));
  const fits = z && model && z.length === model.network.latent_dim && z.every((value) => Math.abs(value) <= MAX_ABS);
  return fits ? z : null;
}

function whole(text, low, high) {
  const value = within(text, low, high, null);
  return Number.isInteger(value) ? value : null;
}

export function writePlace({ view, model, z, y, seed, settings }, isConditional) {
  const parameters = [['model', model], ['z', z.map((value) => Number(value.toFixed(4))).join(',')]];
  if (isConditional) parameters.push(['y', y]);
  if (seed) parameters.push(['seed', seed]);
  parameters.push(...Object.entries(settings));
  return `#${view}?${parameters.map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',')}`).join('&')}`;
}
