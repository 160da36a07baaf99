// Receives a model's decoder and posterior samples. Returns the model's name, or undefined for another message.
import { announce, readMessage } from './mailbox.js';
import { createModel } from './network.js';

export function receive(data, mailbox) {
  const { header, payload } = readMessage(data);
  const { models } = mailbox;
  if (header.kind !== 'model') return undefined;
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
    announce(mailbox, 'model', header.model);
  }
  return header.model;
}

// Runs the decoder until the browser has compiled its loops, so that the first movement is not slow.
function warmUp(decoder) {
  const z = new Float64Array(decoder.latentDim);
  const until = performance.now() + 30;
  while (performance.now() < until) decoder.decode(z, 0);
}
