// Receives the pixels (RGB) of a file that the server decoded, for a browser that alters those it reads itself.
// Returns the picture's id.
import { announce, readMessage } from '../../runtime/mailbox.js';

export function receive(data, mailbox) {
  const { header, payload } = readMessage(data);
  mailbox.memory.set(`picture:${header.id}`, payload);
  announce(mailbox, 'picture', header.id);
  return header.id;
}
