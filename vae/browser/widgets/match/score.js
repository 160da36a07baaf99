// The figures that a round shows.
const SCALES = [1, 2, 4, 8, 16, 32]; // of vae.metrics.multiscale_distance

// Returns 100 for an image as near to the target as the data's best and 0 for one no nearer than the data's worst.
export function score(game, values) {
  const { worst, best } = game.data;
  return 100 * Math.max(0, Math.min(1, (worst - distance(game, values)) / (worst - best)));
}

// Returns the distance that scores 0: of the average image, or of the plain one of the target's mean colour if it is nearer.
// No other plain image is nearer to the target.
export function worstOf(game, average) {
  const { goal, data: { channels } } = game, pixels = goal.length / channels, colour = new Float64Array(channels);
  goal.forEach((value, at) => (colour[at % channels] += value / pixels));
  return Math.min(distance(game, average), distance(game, Float64Array.from(goal, (_, at) => colour[at % channels])));
}

export function distance({ goal, data: { height, width, channels } }, values) {
  const scales = SCALES.filter((scale) => height % scale === 0 && width % scale === 0);
  let total = 0;
  for (const scale of scales) {
    const down = height / scale, across = width / scale;
    const blocks = new Float64Array(down * across * channels);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const block = (Math.floor(y / scale) * across + Math.floor(x / scale)) * channels;
        for (let c = 0; c < channels; c++, at++) blocks[block + c] += values[at] - goal[at];
      }
    }
    let squares = 0;
    for (const sum of blocks) squares += (sum / scale ** 2) ** 2;
    total += Math.sqrt(squares / blocks.length);
  }
  return total / scales.length;
}

// Returns a value in per cent of its slider's range: integers would reveal the true factors.
export const text = (slider, value) => `${Math.round((100 * (value - slider.low)) / (slider.high - slider.low))} %`;
