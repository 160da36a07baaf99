// The content of a handout: a header and named bytes, compressed, see vae/browser/handout.py.
import { readMessage } from '../runtime/mailbox.js';

// bytes: gzip. Returns { header, bytes(name) }. Throws an Error where they are damaged, or cannot be read here.
export async function unpack(bytes) {
  if (typeof DecompressionStream === 'undefined') throw new Error('this browser is too old for the file; update it');
  let packed;
  try {
    packed = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  } catch {
    throw new Error('the file is damaged. Download it again');
  }
  const { header, payload } = readMessage(new Uint8Array(packed));
  return { header, bytes: (name) => payload.subarray(...header.blobs[name]) };
}
