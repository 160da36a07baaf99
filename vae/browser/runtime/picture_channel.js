// Receives a picture that the server has decoded, for a browser that alters what a page reads from a canvas.
import { announce, readMessage } from './mailbox.js';

// The header holds the id, the payload height * width * 3 bytes. Returns the id.
export function receive(data, mailbox) {
  const { header: { id }, payload } = readMessage(data);
  mailbox.memory.set(`picture:${id}`, payload);
  announce(mailbox, 'picture', id);
  return id;
}
