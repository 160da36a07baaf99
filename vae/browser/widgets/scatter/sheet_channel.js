// Passes the sprite sheet with the thumbnails of a collection from Python to the cache that the map reads.
export default function ({ data, setStateValue }) {
  if (!data?.length) return;
  const { header, payload } = readMessage(data);
  const { sheets, news } = mailbox();
  if (!sheets.has(header.sheet)) {
    const sheet = { ...header, bitmap: null };
    sheets.set(header.sheet, sheet);
    createImageBitmap(new Blob([payload], { type: header.type })).then((bitmap) => {
      sheet.bitmap = bitmap;
      news.dispatchEvent(new CustomEvent('sheet', { detail: header.sheet }));
    });
  }
  setStateValue('received', header.sheet);
}
