// What the parts of the browser hear of and ask Python.
const GIVE_UP_AFTER = 5000; // ms without an answer: the request is taken for lost

// handle(detail) for each piece of news of a kind, while element stands on the page
function hear(element, kind, handle) {
  const { news } = mailbox();
  news.addEventListener(kind, function listener(event) {
    if (element.isConnected) handle(event.detail);
    else news.removeEventListener(kind, listener);
  });
}

// One question in flight at a time, the latest wins. tell(question) sends it; the answer names its
// part and its number.
function createQuestions(element, tell) {
  const questions = {
    id: Math.random().toString(36).slice(2), seq: 0, inFlight: null, wanted: null, whenFree: null,

    // make() gives the question when it is sent, use(answer) takes what comes back
    ask(make, use) {
      questions.wanted = { make, use };
      const left = questions.inFlight ? questions.inFlight.at + GIVE_UP_AFTER - performance.now() : 0;
      clearTimeout(questions.patience);
      if (left <= 0) questions.send();
      else questions.patience = setTimeout(() => questions.wanted && element.isConnected && questions.ask(make, use), left + 1);
    },

    send() {
      const { make, use } = questions.wanted;
      questions.wanted = null;
      questions.inFlight = { seq: ++questions.seq, at: performance.now(), use };
      tell({ panel: questions.id, seq: questions.seq, ...make() });
    },

    forget() {
      questions.inFlight = questions.wanted = null;
    },
  };
  hear(element, 'answer', (answer) => {
    const { inFlight } = questions;
    if (answer.panel !== questions.id || answer.seq !== inFlight?.seq) return;
    questions.inFlight = null;
    inFlight.use(answer);
    if (questions.wanted) questions.send();
    else questions.whenFree?.();
  });
  return questions;
}
