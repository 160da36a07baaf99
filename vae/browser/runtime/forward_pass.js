// The forward pass of one image through a model whose posterior is one Gaussian per dimension. The terms of the ELBO are
// those of vae/objectives/terms.py: in nats, summed over pixels and dimensions.
//
// model: see createModel of network.js. An image is a list of H * W * C values in [0, 1], as the model's own are.

const NEAR_ZERO = 1e-2; // a series replaces the closed form for logits below this, where that divides 0 by 0

const softplus = (logit) => Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));

// The log of the continuous Bernoulli's normaliser (Loaiza-Ganem & Cunningham 2019).
const logNormaliser = (logit) => (
  Math.abs(logit) < NEAR_ZERO ? Math.LN2 + logit ** 2 / 12 : Math.log(logit / Math.tanh(logit / 2)));

const gaussian = (x, logit, mean, sigma) => (
  ((x - mean) / sigma) ** 2 / 2 + Math.log(sigma) + Math.log(2 * Math.PI) / 2);

// -log p(x|z) of one pixel, by the names of vae/models/likelihoods.py: (x, logit, mean, sigma) -> nats. A grey pixel's
// Bernoulli score is a cross-entropy.
const NEGATIVE_LOG_PROB = {
  bernoulli: (x, logit) => softplus(logit) - x * logit,
  continuous_bernoulli: (x, logit) => softplus(logit) - x * logit - logNormaliser(logit),
  gaussian,
  gaussian_learned: gaussian,
  gaussian_optimal: gaussian,
};

const sum = (values) => values.reduce((total, value) => total + value, 0);

// Returns why a model's forward pass cannot be computed here, as the end of a sentence; "" where it can.
export function notSupported({ file, has, numClasses }) {
  const missing = ['encode', ...(numClasses ? ['classify'] : [])].find((name) => !has(name));
  if (missing) return file.not_portable[missing] ?? `this model has no network ${missing}`;
  const { name } = file.likelihood;
  return Object.hasOwn(NEGATIVE_LOG_PROB, name) ? '' : `the likelihood ${name} is unknown`;
}

// Returns the most likely class of an image under a conditional model, as LatentModel.most_likely_class chooses it.
export function mostLikelyClass(model, x) {
  const scores = model.classify(x);
  return scores.reduce((best, score, y) => (score > scores[best] ? y : best), 0);
}

// Returns { y, mu, sigma, klPerDim, kl } of q(z|x, y). A point posterior has sigma 0, and no KL: 0 as in torch.
export function posterior(model, x, y) {
  const { mean, stddev } = model.encode(x, y);
  const mu = Float64Array.from(mean), sigma = Float64Array.from(stddev ?? mu.map(() => 0));
  const klPerDim = stddev ? gaussianKL(mu, sigma, model.file.prior) : mu.map(() => 0);
  return { y, mu, sigma, klPerDim, kl: sum(klPerDim) };
}

// Returns KL(q || p) of two diagonal Gaussians for each dimension.
function gaussianKL(mu, sigma, prior) {
  return mu.map((value, d) => {
    const { mean: { [d]: mean }, stddev: { [d]: stddev } } = prior;
    return Math.log(stddev / sigma[d]) + (sigma[d] ** 2 + (value - mean) ** 2) / (2 * stddev ** 2) - 0.5;
  });
}

// Returns z = mu + sigma * eps.
export const reparametrise = ({ mu, sigma }, eps) => mu.map((value, d) => value + sigma[d] * eps[d]);

// Returns { z, mean, perPixel, recon } of p(x|z, y): its mean image, and -log p(x|z, y) by pixel (H * W * C) and summed.
export function likelihood(model, x, z, y) {
  const { mean, logits } = model.likelihood(z, y), { name, sigma } = model.file.likelihood;
  const negativeLogProb = NEGATIVE_LOG_PROB[name];
  const perPixel = Float64Array.from(x, (value, i) => negativeLogProb(value, logits[i], mean[i], sigma));
  return { z, mean: Float64Array.from(mean), perPixel, recon: sum(perPixel) };
}

// Returns the posterior, the likelihood at z = mu + sigma * eps, and negativeElbo, the sum of recon and kl. eps: null
// for the posterior mean. y: a class; null for the most likely one, and for models without classes.
export function forwardPass(model, x, eps = null, y = null) {
  const q = posterior(model, x, model.numClasses ? y ?? mostLikelyClass(model, x) : 0);
  return withSample(model, x, q, eps ? reparametrise(q, eps) : q.mu);
}

// Returns the forward pass of an image with this posterior at another z.
export function withSample(model, x, q, z) {
  const found = likelihood(model, x, z, q.y);
  return { ...q, ...found, negativeElbo: found.recon + q.kl };
}

// Returns whether all values of a forward pass are finite.
export function isFinitePass({ mu, sigma, kl, z, mean, recon }) {
  return [mu, sigma, [kl, recon], z, mean].every((values) => values.every(Number.isFinite));
}
