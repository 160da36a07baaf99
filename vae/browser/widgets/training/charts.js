// The terms of the loss over the steps of a training, and the KL of each dimension, as SVG.
import { ticks } from '../bars/ticks.js';
import { settledStep } from './film.js';

const WIDTH = 440, HEIGHT = 128, LEFT = 44, RIGHT = 6, BOTTOM = 18, TOP = 6; // of a chart, in its own units
const FLOOR = HEIGHT - BOTTOM; // y of the horizontal axis
const LABEL = 48; // width of "beta 0.5"
const MAX_NUMBERED = 32; // dimensions whose numbers fit below the bars

// curve: { step, beta } and the values of each series, T numbers each, null where not measured. series: [[key, class of
// its line]]. at: the step to mark. zero: whether the axis begins at 0.
export function drawCurves(svg, curve, series, { at, zero = false }) {
  const last = curve.step.at(-1) || 1, [lowest, high] = rangeOf(curve, series.map(([key]) => key)), low = zero ? 0 : lowest;
  const x = (step) => LEFT + ((WIDTH - LEFT - RIGHT) * step) / last;
  const y = (value) => FLOOR - ((FLOOR - TOP) * (value - low)) / (high - low);
  const lines = [
    ...series.map(([key, name]) => `<path class="${name}" d="${pathOf(curve.step, curve[key], x, y)}"/>`),
    ...betaMarks(betaChanges(curve), x),
    upright('at', x(at)),
  ];
  const inner = `<svg x="${LEFT}" width="${WIDTH - LEFT}" height="${FLOOR + 1}" viewBox="${LEFT} 0 ${WIDTH - LEFT} ${FLOOR + 1}">${lines.join('')}</svg>`;
  const steps = `<text x="${LEFT}" y="${HEIGHT - 4}">step 0</text><text class="end" x="${WIDTH - RIGHT}" y="${HEIGHT - 4}">${last.toLocaleString('en')}</text>`;
  svg.innerHTML = axis(ticksBetween(low, high), y) + inner + steps;
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
}

// values: the KL of each dimension in nats. top: of the axis.
export function drawBars(svg, values, top) {
  const width = (WIDTH - LEFT - RIGHT) / values.length, bar = Math.min(0.75 * width, 40);
  const y = (value) => FLOOR - (FLOOR - TOP) * Math.min(1, value / top);
  const bars = values.map((value, d) => {
    const middle = LEFT + (d + 0.5) * width;
    const name = values.length <= MAX_NUMBERED ? `<text class="middle" x="${middle}" y="${HEIGHT - 4}">${d}</text>` : '';
    return `<rect class="bar" x="${middle - bar / 2}" y="${y(value)}" width="${bar}" height="${Math.max(0, FLOOR - y(value))}"/>${name}`;
  });
  svg.innerHTML = axis(ticks(top), y) + bars.join('');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
}

// Marks where beta changed; of changes that follow closely, the last one has its value.
function betaMarks(changes, x) {
  return changes.map(([step, beta], i) => {
    const next = changes[i + 1], isLast = !next || x(next[0]) - x(step) > LABEL;
    return upright('change', x(step)) + (isLast ? `<text x="${x(step) + 3}" y="${TOP + 9}">beta ${beta}</text>` : '');
  });
}

const upright = (name, x) => `<line class="${name}" x1="${x}" x2="${x}" y1="${TOP}" y2="${FLOOR}"/>`;

function axis(values, y) {
  return values.map((value) => `<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/>
    <text class="end" x="${LEFT - 6}" y="${y(value) + 3.5}">${value}</text>`).join('');
}

function pathOf(steps, values, x, y) {
  let pen = 'M';
  return steps.map((step, i) => {
    if (!isNumber(values[i])) {
      pen = 'M';
      return '';
    }
    const part = `${pen}${x(step).toFixed(1)} ${y(values[i]).toFixed(1)}`;
    pen = 'L';
    return part;
  }).join('');
}

const isNumber = (value) => Number.isFinite(value); // JSON has null for a NaN

// Returns [low, high] of some series. An untrained network's loss is several times that of a trained one, so the chart
// leaves out the first values.
export function rangeOf({ step, ...values }, keys) {
  const settled = settledStep(step);
  const found = keys.flatMap((key) => values[key].filter((value, i) => isNumber(value) && step[i] >= settled));
  if (!found.length) return [0, 1];
  const low = Math.min(...found), high = Math.max(...found), room = 0.05 * (high - low) || 0.5;
  return [Math.max(0, low - room), high + room];
}

// Returns round numbers between low and high, about four of them.
export function ticksBetween(low, high) {
  const all = ticks(high - low), step = all[1] ?? high - low;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

// Returns [step, beta] of each change of beta.
export const betaChanges = ({ step, beta }) => step.flatMap((s, i) => (i && beta[i] !== beta[i - 1] ? [[s, beta[i]]] : []));

// Returns the last measured value of a series at a step or before it; null if there is none.
export function valueAt({ step, ...values }, key, at) {
  for (let i = step.length - 1; i >= 0; i--) if (step[i] <= at && isNumber(values[key][i])) return values[key][i];
  return null;
}
