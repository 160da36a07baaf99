// What the browser keeps of models, shared by the panel and the channel that feeds it. It lives
// as long as the browser tab: a model's weights are sent once.
function mailbox() {
  return (window.latentSpaceExplorer ??= { models: new Map(), memory: new Map(), news: new EventTarget() });
}

// Raw bytes from Python: [header length, uint32][JSON header][payload].
function readMessage(data) {
  const bytes = data.slice(); // the array that arrives looks into a larger buffer
  const size = new DataView(bytes.buffer).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size))), payload: bytes.subarray(4 + size) };
}
