// Passes a model's decoder and posterior samples from Python to the cache that the panel reads.
export default function ({ data, setStateValue }) {
  if (!data?.length) return;
  const { header, payload } = readMessage(data);
  const { models, news } = mailbox();
  if (header.kind !== 'model') return;
  if (!models.has(header.model)) {
    const entry = { draws: payload.subarray(0, header.draws), decoder: null, reason: header.reason ?? '' };
    if (!header.reason) {
      try {
        entry.decoder = createModel(header.network, payload.subarray(header.draws));
        warmUp(entry.decoder);
      } catch (error) {
        entry.reason = error.message;
      }
    }
    models.set(header.model, entry);
    news.dispatchEvent(new CustomEvent('model', { detail: header.model }));
  }
  setStateValue('received', header.model);
}

// Runs the decoder until the browser has compiled its loops, so that the first movement is not slow.
function warmUp(decoder) {
  const z = new Float64Array(decoder.latentDim);
  const until = performance.now() + 30;
  while (performance.now() < until) decoder.decode(z, 0);
}
