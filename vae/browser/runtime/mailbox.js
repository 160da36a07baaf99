// The browser's cache of models and encoded images, shared by the widgets that show them and the channels
// that fill it. It exists as long as the browser tab, so that everything is sent once.
function mailbox() {
  return (window.latentSpaceExplorer ??= {
    models: new Map(), memory: new Map(), collections: new Map(), sheets: new Map(), news: new EventTarget(),
  });
}

// Raw bytes from Python: [header length, uint32][JSON header][payload].
function readMessage(data) {
  const bytes = data.slice(); // the received array is a view of a larger buffer
  const size = new DataView(bytes.buffer).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))), payload: bytes.subarray(4 + size) };
}
