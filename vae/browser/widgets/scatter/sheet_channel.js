// Receives the sprite sheet with the thumbnails of a collection. Returns its name.
import { announce, readMessage } from '../../runtime/mailbox.js';

export function receive(data, mailbox) {
  const { header, payload } = readMessage(data);
  const { sheets } = mailbox;
  if (!sheets.has(header.sheet)) {
    const sheet = { ...header, bitmap: null };
    sheets.set(header.sheet, sheet);
    createImageBitmap(new Blob([payload], { type: header.type })).then((bitmap) => {
      sheet.bitmap = bitmap;
      announce(mailbox, 'sheet', header.sheet);
    });
  }
  return header.sheet;
}
