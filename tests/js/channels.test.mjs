// What arrives from Python stands in the mailbox, once.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from './load.mjs';

const { createMailbox, hear } = await load('runtime/mailbox.js');
const { receive: takeModel } = await load('runtime/model_channel.js');
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

test('a message of another kind is no model', () => {
  assert.equal(takeModel(sent({ kind: 'mudel', model: 'z', draws: 0 }), mailbox), undefined);
  assert.equal(mailbox.models.has('z'), false);
});

test('a model that the browser cannot decode keeps its draws and says why', () => {
  const news = heard('model');
  const data = sent({ kind: 'model', model: 'a', draws: 3, reason: 'more than plain layers' }, [1, 2, 3]);
  assert.equal(takeModel(data, mailbox), 'a');
  const { draws, decoder, reason } = mailbox.models.get('a');
  assert.deepEqual([[...draws], decoder, reason], [[1, 2, 3], null, 'more than plain layers']);
  assert.deepEqual(news, ['a']);
});

test('damaged weights are a reason too', () => {
  takeModel(sent({ kind: 'model', model: 'b', draws: 0, network: { format: 1 } }, [1, 2]), mailbox);
  assert.match(mailbox.models.get('b').reason, /cut off/);
});

test('a model is built from its network file and its weights', () => {
  const nodes = [{ name: 'picture', op: 'reshape', inputs: ['z'], shape: [1, 1, 1, 2] }];
  const decode = { inputs: [{ name: 'z', shape: [1, 2] }], nodes, outputs: [{ name: 'x_hat', node: 'picture' }] };
  const network = { format: 1, latent_dim: 2, num_classes: 0, image_shape: [1, 1, 2], networks: { decode }, constants: {} };
  const noWeights = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 123, 125); // "{}"
  takeModel(sent({ kind: 'model', model: 'c', draws: 1, network }, [7], noWeights), mailbox);
  const { draws, decoder, reason } = mailbox.models.get('c');
  assert.deepEqual([[...draws], [...decoder.decode([3, 4], 0)], reason], [[7], [3, 4], '']);
});

test('a model that is here already is not built again', () => {
  const news = heard('model');
  takeModel(sent({ kind: 'model', model: 'a', draws: 0, reason: 'another' }), mailbox);
  assert.equal(mailbox.models.get('a').reason, 'more than plain layers');
  assert.deepEqual(news, []);
});

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
