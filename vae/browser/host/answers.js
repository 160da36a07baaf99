// Pictures and codes that another process computes, for views that need them at once: what is known is returned, the rest
// is asked for, and the views are shown again when it has arrived.
import { toBase64 } from '../runtime/base64.js';
import { pictureOf } from '../runtime/pixels.js';
import { createQuestions } from '../runtime/questions.js';

const MAX_ASKED = 128; // codes in one question
const MAX_KEPT = 4000; // pictures
const UNKNOWN = 0.5; // grey, until a picture has arrived

// Returns { decode(z), encode(image) }. encode returns null where the code is not known yet.
export function createAnswers(host, model, shape) {
  const pictures = new Map(), codes = new Map(), wanted = new Map(), size = shape.height * shape.width * shape.channels;
  const blank = new Float32Array(size).fill(UNKNOWN);
  const isCurrent = () => host.model === model;
  const questions = createQuestions(host.mailbox, (question) => host.navigation.ask?.({ ...question, model: model.name }), new AbortController().signal);
  let timer = null;
  const next = () => {
    timer = null;
    const some = [...wanted.entries()].slice(0, MAX_ASKED);
    if (!some.length || !isCurrent()) return;
    questions.ask(() => ({ zs: some.map(([, z]) => z) }), (answer) => {
      if (pictures.size > MAX_KEPT) pictures.clear();
      some.forEach(([key], i) => {
        wanted.delete(key);
        pictures.set(key, Float32Array.from(pictureOf(answer, i), (value) => value / 255));
      });
      if (wanted.size) next();
      else if (isCurrent()) host.changed();
    });
  };
  return {
    decode(z) {
      const key = z.map((value) => value.toFixed(4)).join();
      if (pictures.has(key)) return pictures.get(key);
      wanted.set(key, Array.from(z));
      timer ??= setTimeout(next);
      return blank;
    },
    encode({ source, index, bytes }) {
      if (index !== null) return model.image_codes[index];
      if (!codes.has(source)) {
        codes.set(source, null);
        const asking = createQuestions(host.mailbox, (question) => host.navigation.ask?.({ ...question, model: model.name }), new AbortController().signal);
        asking.ask(() => ({ x: toBase64(bytes) }), ({ z }) => {
          codes.set(source, z);
          if (isCurrent()) host.changed();
        });
      }
      return codes.get(source);
    },
  };
}
