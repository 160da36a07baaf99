// The file of a report: what a learner predicted, wrote and bookmarked. It holds no name, and comes back from strangers.
import { checked as checkedBookmarks } from '../bookmarks/store.js';
import { checked as checkedWork } from '../progress/store.js';

const FORMAT = 'latent-space-explorer report', VERSION = 1;
export const MAX_BYTES = 4 * 1024 * 1024;

// work: { steps, sentences, bookmarks }
export const toFile = (work) => `${JSON.stringify({ format: FORMAT, version: VERSION, ...work }, null, 1)}\n`;

// Returns the work of a file's text. Throws an Error, whose message is a sentence, for one that is no report.
export function fromFile(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch { /* said below */ }
  if (value?.format !== FORMAT) throw new Error('This file is not a report of the latent-space explorer.');
  if (value.version !== VERSION) throw new Error('This report was made by another version of the latent-space explorer.');
  return { ...checkedWork(value), bookmarks: checkedBookmarks(value.bookmarks) };
}

// Returns a learner's own work. before: the last one on this page, whose sentences stay where storage is blocked. kept: what
// the storage has. steps: those of the session.
export const ownWork = (before, kept, steps, bookmarks) => ({
  steps: { ...kept.steps, ...steps }, sentences: { ...before?.sentences, ...kept.sentences }, bookmarks,
});

export async function readFile(file) {
  if (file.size > MAX_BYTES) throw new Error(`This file is larger than ${MAX_BYTES / 1024 ** 2} MB, so it is not a report.`);
  return fromFile(await file.text());
}
