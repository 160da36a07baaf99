// Receives a collection of encoded images. Returns its name.
import { announce, readMessage } from '../../runtime/mailbox.js';

export function receive(data, mailbox) {
  const { header, payload } = readMessage(data);
  const { collections } = mailbox;
  if (!collections.has(header.collection)) {
    let from = 0;
    const floats = (count) => new Float32Array(payload.slice(from, (from += 4 * count)).buffer);
    const { n, dims } = header;
    const codes = floats(n * dims), recon = floats(n);
    const layouts = Object.fromEntries(header.layouts.map((name) => [name, floats(2 * n)]));
    const shorts = (count) => new Uint16Array(payload.slice(from, (from += 2 * count)).buffer);
    const labels = shorts(n), ys = shorts(n);
    collections.set(header.collection, { ...header, codes, recon, layouts, labels, ys });
    announce(mailbox, 'collection', header.collection);
  }
  return header.collection;
}
