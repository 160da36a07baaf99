// The histogram under a slider.
const BINS = 64; // divides 256, the number of levels that samples are quantised to

// Draws samples from the posteriors of encoded data (grey) and the prior's density (line) on the same scale.
export function drawHistogram(panel, { dim, low, high, svg }) {
  const draws = panel.entry?.draws ?? [];
  const d = panel.data.dims.length, n = draws.length / d;
  if (!n) return;
  const counts = new Float64Array(BINS);
  for (let i = 0; i < n; i++) counts[Math.floor((draws[i * d + dim.index] * BINS) / 256)]++;
  const width = (dim.high - dim.low) / BINS;
  const density = (v) => Math.exp(-0.5 * ((v - dim.prior_mu) / dim.prior_sigma) ** 2) / (dim.prior_sigma * Math.sqrt(2 * Math.PI));
  const places = Array.from({ length: 101 }, (_, i) => low + ((high - low) * i) / 100);
  const prior = dim.prior_sigma === null ? [] : places.map((v) => density(v) * n * width); // null unless the prior is Gaussian
  const top = Math.max(...counts, ...prior);
  const x = (v) => (100 * (v - low)) / (high - low), y = (count) => 20 - (20 * count) / top;
  const bars = [...counts].map((count, i) => `L${x(dim.low + i * width)} ${y(count)} L${x(dim.low + (i + 1) * width)} ${y(count)}`);
  svg.querySelector('.data').setAttribute('d', `M${x(dim.low)} 20 ${bars.join(' ')} L${x(dim.high)} 20 Z`);
  svg.querySelector('.prior').setAttribute('d', prior.map((count, i) => `${i ? 'L' : 'M'}${i} ${y(count)}`).join(' '));
}
