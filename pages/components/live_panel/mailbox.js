// What the browser keeps of models, shared by the panel and the channel that feeds it. It lives
// as long as the browser tab: a model's weights are sent once.
function mailbox() {
  return (window.latentSpaceExplorer ??= { models: new Map(), memory: new Map(), news: new EventTarget() });
}
