// Receives images that Python has decoded: the answer to a widget's question.
import { announce, readMessage } from './mailbox.js';

export function receive(data, mailbox) {
  const { header, payload } = readMessage(data);
  announce(mailbox, 'answer', { ...header, pixels: payload });
}
