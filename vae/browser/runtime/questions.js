// Questions that a widget asks its host, and the answers that arrive in the mailbox.
import { hear } from './mailbox.js';

export const ANSWER_TIMEOUT = 5000; // ms until an unanswered request counts as lost

// One question is in flight at a time, and the latest wins. transmit(question) sends it; the answer carries
// the id of the sender and the number of the question. No question is sent once the signal has aborted.
export function createQuestions(mailbox, transmit, signal) {
  const questions = {
    id: Math.random().toString(36).slice(2), seq: 0, inFlight: null, wanted: null, whenFree: null,

    // make() returns the question when it is sent, use(answer) receives the answer
    ask(make, use) {
      questions.wanted = { make, use };
      const left = questions.inFlight ? questions.inFlight.at + ANSWER_TIMEOUT - performance.now() : 0;
      clearTimeout(questions.patience);
      if (left <= 0) questions.send();
      else questions.patience = setTimeout(() => questions.wanted && !signal.aborted && questions.ask(make, use), left + 1);
    },

    send() {
      const { make, use } = questions.wanted;
      questions.wanted = null;
      questions.inFlight = { seq: ++questions.seq, at: performance.now(), use };
      transmit({ panel: questions.id, seq: questions.seq, ...make() });
    },

    forget() {
      questions.inFlight = questions.wanted = null;
    },
  };
  hear(mailbox, 'answer', (answer) => {
    const { inFlight } = questions;
    if (answer.panel !== questions.id || answer.seq !== inFlight?.seq) return;
    questions.inFlight = null;
    inFlight.use(answer);
    if (questions.wanted) questions.send();
    else questions.whenFree?.();
  }, signal);
  return questions;
}
