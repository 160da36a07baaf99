// Takes raw bytes from Python and puts them where the panel finds them. A message is
// [header length, uint32][JSON header][payload]; kind "model" or "answer".
export default function ({ data, setStateValue }) {
  if (!data?.length) return;
  const bytes = data.slice(); // the array that arrives looks into a larger buffer
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const payload = bytes.subarray(4 + size);
  const { models, news } = mailbox();
  if (header.kind === 'answer') {
    news.dispatchEvent(new CustomEvent('answer', { detail: { ...header, pixels: payload } }));
    return;
  }
  if (header.kind !== 'model') return;
  if (!models.has(header.model)) {
    const entry = { draws: payload.subarray(0, header.draws), decoder: null, reason: header.reason };
    if (!header.reason) {
      try {
        entry.decoder = createDecoder(payload.subarray(header.draws));
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

// the first calls run before the browser has compiled the loops; let no hand wait for that
function warmUp(decoder) {
  const z = new Float64Array(decoder.latentDim);
  const until = performance.now() + 30;
  while (performance.now() < until) decoder.decode(z, 0);
}
