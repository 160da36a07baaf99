// Fetches a model for the widgets of a page, once. One that did not arrive is fetched again at the next call, so call
// this where new props arrive, and not where the news does.
import { announce } from './mailbox.js';
import { createModel } from './network.js';

// id: the model's name and a hash of its files. files: the addresses { network, weights, samples } of its
// network.json, its weights and its posterior samples (2000 codes, one byte per value over each slider's range), or
// { reason } where a browser cannot decode; null where the host fills the mailbox itself.
// Puts { decoder, draws, reason } into mailbox.models and announces "model".
export async function loadModel(mailbox, id, files) {
  const { models, loading } = mailbox, known = models.get(id);
  if (!files || loading.has(id) || known?.decoder || known && files.reason) return;
  loading.add(id);
  const entry = { draws: new Uint8Array(), decoder: null, reason: files.reason ?? '' };
  if (!entry.reason) {
    try {
      [entry.decoder, entry.draws] = await Promise.all([fetchModel(files), fetchBytes(files.samples)]);
    } catch (error) {
      entry.reason = error.message;
    }
  }
  loading.delete(id);
  models.set(id, entry);
  announce(mailbox, 'model', id);
  if (entry.decoder) setTimeout(warmUp, 0, entry.decoder);
}

// files: { network, weights }, or { reason } where a browser cannot decode. Throws an Error that says what is missing.
export async function fetchModel(files) {
  if (files.reason) throw new Error(files.reason);
  const [network, weights] = await Promise.all([
    get(files.network).then((found) => found.json()), fetchBytes(files.weights),
  ]);
  return createModel(network, weights);
}

async function get(address) {
  const found = await fetch(address);
  if (!found.ok) throw new Error(`a file of the model is missing (${found.status})`);
  return found;
}

export const fetchBytes = async (address) => new Uint8Array(await (await get(address)).arrayBuffer());

// Runs the decoder until the browser has compiled its loops, so that the first movement is not slow.
function warmUp(decoder) {
  const z = new Float64Array(decoder.latentDim);
  const until = performance.now() + 30;
  while (performance.now() < until) decoder.decode(z, 0);
}
