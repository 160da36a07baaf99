// Exact resizing: each pixel of the result is the mean of the picture over its rectangle.

// values: height * width * channels numbers, row by row, channels together. box: [left, top, right, bottom] in pixels
// of the picture, with fractions allowed; the whole picture by default. Returns toHeight * toWidth * channels numbers
// in the same order. Enlarging repeats pixels.
export function areaAverage(values, width, height, channels, toWidth, toHeight, box = [0, 0, width, height]) {
  const [left, top, right, bottom] = box;
  const inRows = new Float64Array(height * toWidth * channels); // averaged along the rows only
  const across = { n: width, step: channels, to: toWidth, toStep: channels, from: left, until: right };
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < channels; c++) averageLine(values, y * width * channels + c, inRows, y * toWidth * channels + c, across);
  }
  const averaged = new Float32Array(toHeight * toWidth * channels), row = toWidth * channels;
  const down = { n: height, step: row, to: toHeight, toStep: row, from: top, until: bottom };
  for (let at = 0; at < row; at++) averageLine(inRows, at, averaged, at, down);
  return averaged;
}

// Averages a line of n numbers, from first on at every step, over `to` equal parts of [from, until]: differences of
// the cumulative sum, which is linear within a pixel.
function averageLine(values, first, result, resultFirst, { n, step, to, toStep, from, until }) {
  const sums = cumulative(n);
  for (let i = 0, at = first; i < n; i++, at += step) sums[i + 1] = sums[i] + values[at];
  const part = (until - from) / to;
  let before = sumUntil(sums, n, from);
  for (let i = 0, at = resultFirst; i < to; i++, at += toStep) {
    const after = sumUntil(sums, n, from + (i + 1) * part);
    result[at] = (after - before) / part;
    before = after;
  }
}

function sumUntil(sums, n, place) {
  const i = Math.min(Math.max(Math.floor(place), 0), n - 1);
  return sums[i] + (place - i) * (sums[i + 1] - sums[i]);
}

// One array for all lines of a picture. Its first number stays 0.
let sumsOfLine = new Float64Array(1025);
function cumulative(n) {
  if (sumsOfLine.length <= n) sumsOfLine = new Float64Array(n + 1);
  return sumsOfLine;
}
