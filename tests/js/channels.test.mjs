// What arrives from Python stands in the mailbox, once.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createMailbox, hear } = await load('runtime/mailbox.js');
const { loadModel } = await load('runtime/load_model.js');
const { receive: takeAnswer } = await load('runtime/answer_channel.js');
const { receive: takePoints } = await load('widgets/scatter/points_channel.js');
const mailbox = createMailbox();

function sent(header, ...payload) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const size = Uint8Array.from(new Uint8Array(Uint32Array.of(text.length).buffer));
  return Uint8Array.from([size, text, ...payload].flatMap((part) => [...part]));
}
const bytesOf = (array) => new Uint8Array(array.buffer);

function heard(kind) {
  const news = [];
  hear(mailbox, kind, (detail) => news.push(detail));
  return news;
}

// ---- a model, fetched by its addresses

const NETWORK = {
  format: 2, latent_dim: 2, num_classes: 0, image_shape: [1, 1, 2], constants: {},
  networks: { decode: {
    inputs: [{ name: 'z', shape: [1, 2] }], outputs: [{ name: 'x_hat', node: 'picture' }],
    nodes: [{ name: 'picture', op: 'reshape', inputs: ['z'], shape: [1, 1, 1, 2] }],
  } },
};
const NO_WEIGHTS = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 123, 125); // "{}"
const FILES = { network: '/n', weights: '/w', samples: '/s' };
let fetched = [];

// Answers fetch() with these contents by address; a missing one is a 404.
function serve(contents) {
  fetched = [];
  globalThis.fetch = async (address) => {
    fetched.push(address);
    return new Response(contents[address], { status: address in contents ? 200 : 404 });
  };
}

const SERVED = { '/n': JSON.stringify(NETWORK), '/w': NO_WEIGHTS, '/s': Uint8Array.of(7) };

test('a model is built from its network file and its weights', async () => {
  serve(SERVED);
  const news = heard('model');
  await loadModel(mailbox, 'c', FILES);
  const { draws, decoder, reason } = mailbox.models.get('c');
  assert.deepEqual([[...draws], [...decoder.decode([3, 4], 0)], reason], [[7], [3, 4], '']);
  assert.deepEqual(news, ['c']);
});

test('widgets that ask for a model at once fetch it once, and one that is there is not fetched', async () => {
  serve(SERVED);
  await Promise.all([loadModel(mailbox, 'd', FILES), loadModel(mailbox, 'd', FILES)]);
  await loadModel(mailbox, 'd', FILES);
  assert.deepEqual(fetched.sort(), ['/n', '/s', '/w']);
});

test('a model that the browser cannot decode says why, and nothing is fetched', async () => {
  serve({});
  const news = heard('model');
  await loadModel(mailbox, 'a', { reason: 'it samples random numbers' });
  const { draws, decoder, reason } = mailbox.models.get('a');
  assert.deepEqual([[...draws], decoder, reason, fetched, news], [[], null, 'it samples random numbers', [], ['a']]);
});

test('a model that did not arrive is fetched again when it is asked for again, and replaces its reason', async () => {
  serve({ '/n': SERVED['/n'] });
  const news = heard('model');
  await loadModel(mailbox, 'f', FILES);
  assert.match(mailbox.models.get('f').reason, /missing \(404\)/);
  serve(SERVED);
  const again = loadModel(mailbox, 'f', FILES);
  assert.match(mailbox.models.get('f').reason, /missing/); // which stands until then
  await Promise.all([again, loadModel(mailbox, 'f', FILES)]);
  assert.deepEqual([mailbox.models.get('f').reason, fetched.length, news], ['', 3, ['f', 'f']]);
  assert.ok(mailbox.models.get('f').decoder);
});

test('without files the host fills the mailbox', async () => {
  await loadModel(mailbox, 'e', null);
  assert.equal(mailbox.models.has('e'), false);
});

for (const [what, changed, sentence] of [
  ['weights that are cut off', { '/w': Uint8Array.of(1, 2) }, /cut off/],
  ['a network file that is no JSON', { '/n': '{"format": 1' }, /JSON/],
  ['a file that is missing', { '/s': undefined }, /missing \(404\)/],
]) {
  test(`${what}: the reason, and no decoder`, async () => {
    const contents = { ...SERVED, ...changed };
    if (contents['/s'] === undefined) delete contents['/s'];
    serve(contents);
    await loadModel(mailbox, what, FILES);
    const { decoder, reason } = mailbox.models.get(what);
    assert.equal(decoder, null);
    assert.match(reason, sentence);
  });
}

test('an answer is news, with its pixels', () => {
  const news = heard('answer');
  takeAnswer(sent({ panel: 'p', seq: 4 }, [9, 8]), mailbox);
  assert.deepEqual([news[0].panel, news[0].seq, ...news[0].pixels], ['p', 4, 9, 8]);
});

test('a collection: codes, reconstruction errors, layouts, labels and classes in their order', () => {
  const header = { collection: 'c', n: 2, dims: 3, layouts: ['umap', 'pca'] };
  const floats = Float32Array.of(1, 2, 3, 4, 5, 6, 70, 80, 0.1, 0.2, 0.3, 0.4, -1, -2, -3, -4);
  const data = sent(header, bytesOf(floats), bytesOf(Uint16Array.of(7, 300)), bytesOf(Uint16Array.of(1, 0)));
  assert.equal(takePoints(data, mailbox), 'c');
  const { codes, recon, layouts, labels, ys } = mailbox.collections.get('c');
  assert.deepEqual([...codes, ...recon], [1, 2, 3, 4, 5, 6, 70, 80]);
  assert.deepEqual([[...layouts.umap], [...layouts.pca]], [[...floats.slice(8, 12)], [-1, -2, -3, -4]]);
  assert.deepEqual([...labels, ...ys], [7, 300, 1, 0]);
});
