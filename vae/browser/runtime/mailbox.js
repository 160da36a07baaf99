// What a host has received for its widgets: decoders, collections of codes, thumbnails, answers. Widgets of one page
// share a mailbox, so that everything is sent once. Files named *_channel.js fill it.
export function createMailbox() {
  return { models: new Map(), loading: new Set(), memory: new Map(), collections: new Map(), sheets: new Map(), pasteTargets: [], news: new EventTarget() };
}

// Tells the widgets that something of a kind has arrived.
export function announce({ news }, kind, detail) {
  news.dispatchEvent(new CustomEvent(kind, { detail }));
}

// Calls handle(detail) for each piece of news of a kind, until the signal aborts.
export function hear({ news }, kind, handle, signal) {
  news.addEventListener(kind, (event) => handle(event.detail), { signal });
}

// Raw bytes from Python: [header length, uint32][JSON header][payload].
export function readMessage(data) {
  const bytes = data.slice(); // the received array is a view of a larger buffer
  const size = new DataView(bytes.buffer).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))), payload: bytes.subarray(4 + size) };
}
