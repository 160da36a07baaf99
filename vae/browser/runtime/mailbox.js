// What the browser keeps of models and of encoded images, shared by the parts that show them and
// the channels that feed those. It lives as long as the browser tab: all is sent once.
function mailbox() {
  return (window.latentSpaceExplorer ??= {
    models: new Map(), memory: new Map(), collections: new Map(), sheets: new Map(), news: new EventTarget(),
  });
}

// Raw bytes from Python: [header length, uint32][JSON header][payload].
function readMessage(data) {
  const bytes = data.slice(); // the array that arrives looks into a larger buffer
  const size = new DataView(bytes.buffer).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))), payload: bytes.subarray(4 + size) };
}
