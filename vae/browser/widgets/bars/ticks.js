// The ticks of an axis from 0.
const TICKS = 4; // at most, beside 0

// Returns round numbers from 0 to top, at most TICKS beside 0.
export function ticks(top) {
  const rough = top / TICKS, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9));
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}
