// The terms of the ELBO in nats, and the KL of each dimension beside the slider that moves its z.
import { HALF_AXIS } from './posterior.js';

const DECIMALS = 2; // of values in nats

// pass: the forward pass. average: { recon, kl, negative_elbo } over test images, each a number or null.
export function showTerms(body, pass, average, conditional) {
  const given = conditional ? ', y' : '';
  const rows = [
    [`reconstruction error, −log p(x|z${given})`, pass.recon, average.recon],
    [`KL(q(z|x${given}) ‖ p(z))`, pass.kl, average.kl],
    ['−ELBO, their sum, from one sample z', pass.negativeElbo, average.negative_elbo],
  ];
  const [own, mean] = [1, 2].map((column) => addingUp(rows.map((row) => row[column] ?? null)));
  body.innerHTML =
    '<tr><td></td><th>this image</th><th>mean of test images</th></tr>' +
    rows.map(([name, value], i) => `<tr class="${i === 2 ? 'sum' : ''}"><td>${name}</td><td data-value="${value}" title="${value}">${own[i]}</td><td>${mean[i]}</td></tr>`).join('');
}

// Returns the text of two parts and their sum. The second part absorbs the rounding error, 0.01 nats at most.
function addingUp([first, second, sum]) {
  const round = (value) => Number(value.toFixed(DECIMALS));
  const whole = ![first, second, sum].includes(null);
  return [first, whole ? round(sum) - round(first) : second, sum].map((value) => (value === null ? '–' : value.toFixed(DECIMALS)));
}

// Returns the rows of the dimensions, in order, and puts them into a box. move(d, value) is called for a slider.
export function buildDims(box, { order, names }, move, light) {
  const dims = order.map((d) => {
    const row = document.createElement('div');
    row.className = 'dim';
    row.dataset.dim = d;
    row.innerHTML = '<span class="name"></span><input type="range" step="any"><output></output><div class="track"><i></i><u></u></div><b></b>';
    const [name, input, value, track, nats] = row.children;
    name.textContent = names[d];
    input.setAttribute('aria-label', `z of ${names[d]}`);
    const dim = { d, row, input, value, own: track.children[0], average: track.children[1], nats, sliding: false };
    input.oninput = () => {
      dim.sliding = true;
      move(d, Number(input.value));
    };
    // a slider released at its old value sends no "change" event
    for (const event of ['change', 'pointerup', 'keyup', 'blur']) input.addEventListener(event, () => (dim.sliding = false));
    row.addEventListener('pointerenter', () => light(d));
    row.addEventListener('focusin', () => light(d));
    return dim;
  });
  box.replaceChildren(...dims.map(({ row }) => row));
  return dims;
}

// average: the KL of each dimension over test images, or null.
export function showDims(dims, { mu, sigma, z, klPerDim }, prior, average) {
  const top = Math.max(0.1, ...klPerDim, ...(average ?? [0]));
  for (const { d, input, value, own, average: mark, nats, sliding } of dims) {
    if (!sliding) {
      const reach = Math.max(HALF_AXIS * prior.stddev[d], Math.abs(mu[d] - prior.mean[d]) + 3 * sigma[d]);
      [input.min, input.max] = [prior.mean[d] - reach, prior.mean[d] + reach];
      input.value = z[d];
    }
    value.textContent = z[d].toFixed(2);
    own.style.width = `${(100 * Math.max(0, klPerDim[d])) / top}%`;
    mark.hidden = !average;
    if (average) mark.style.left = `${(100 * average[d]) / top}%`;
    nats.textContent = klPerDim[d].toFixed(DECIMALS);
  }
}
