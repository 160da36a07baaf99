// The code of a prepared picture, where this browser has the model: the server then need not encode.
import { mostLikelyClass } from '../../runtime/forward_pass.js';
import { channelsLast } from '../../runtime/pixels.js';

// x: C * H * W values in [0, 1]. weights: the id of a model in the mailbox, '' for none. Returns what is sent of the
// code, { weights, z, y }: the mean of q(z|x), and for a conditional model q(z|x, y) with the most likely class.
// Returns {} where the browser does not have the model or one of its networks.
export function codeOf({ models }, weights, x) {
  const model = models.get(weights)?.decoder;
  if (!model?.has('encode') || (model.numClasses && !model.has('classify'))) return {};
  const seen = channelsLast(Float64Array.from(x, (value) => Math.round(255 * value) / 255), model); // as it is sent
  const y = model.numClasses ? mostLikelyClass(model, seen) : null;
  return { weights, z: Array.from(model.encode(seen, y ?? 0).mean), y };
}
