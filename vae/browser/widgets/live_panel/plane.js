// What the pad shows: the decoded plane of two dimensions, the density of the data over it, and the current code.
import { contour, thresholdOf } from '../../runtime/contours.js';
import { label } from './label.js';

export const CELLS = 64; // across the density; divides 256, the number of levels that samples are quantised to
const TILES_2D = 15, TILES = 9; // images across the pad: of a 2-D model, whose plane is decoded once, and of others
const SHARES = [0.5, 0.95]; // of the encoded data, inside the inner and the outer line
const PASSES = 2; // of the filter over the density
const WIDE_PASSES = 12; // so that lines do not follow single samples, and no gap is dark between a code's few values

export function padDims(panel) {
  const byIndex = (select) => panel.data.dims.find((dim) => dim.index === Number(select.value));
  return [byIndex(panel.axisX), byIndex(panel.axisY)];
}

export function placeCross(panel) {
  if (panel.data.dims.length < 2) return;
  const part = (dim) => Math.max(0, Math.min(1, (panel.z[dim.index] - dim.low) / (dim.high - dim.low)));
  const [x, y] = padDims(panel);
  panel.cross.style.transform = `translate(${100 * part(x)}%, ${100 - 100 * part(y)}%)`; // needs no layout
}

// Returns smoothed counts of samples per cell, 0 to 1; (CELLS * CELLS), row 0 at the top.
export function density(panel, passes = PASSES) {
  let cells = new Float64Array(CELLS * CELLS);
  const draws = panel.entry?.draws ?? [];
  const d = panel.data.dims.length;
  const [x, y] = padDims(panel);
  for (let i = 0; i < draws.length; i += d) {
    const column = Math.floor((draws[i + x.index] * CELLS) / 256);
    const row = CELLS - 1 - Math.floor((draws[i + y.index] * CELLS) / 256);
    cells[row * CELLS + column]++;
  }
  for (let pass = 0; pass < passes; pass++) cells = summed(summed(cells, 1), CELLS);
  const top = Math.max(...cells) || 1;
  return cells.map((v) => v / top);
}

// A box filter of width 3 along the rows (step 1) or the columns (step CELLS); beyond the edge there is nothing.
function summed(cells, step) {
  const place = (i) => (step === 1 ? i % CELLS : Math.floor(i / CELLS));
  return cells.map((v, i) => v + (place(i) > 0 ? cells[i - step] : 0) + (place(i) < CELLS - 1 ? cells[i + step] : 0));
}

// Whether codes take only a few values, around each of which a line would run.
const isQuantised = (panel) => panel.data.dims.some((dim) => dim.values);
const hasLines = (panel) => Boolean(panel.entry?.draws.length) && !isQuantised(panel);

// Draws the lines that hold SHARES of the encoded data, once for each pair of dimensions.
function drawLines(panel) {
  const key = `${panel.data.model} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  if (panel.linesShow === key) return;
  panel.linesShow = key;
  const shade = hasLines(panel) ? density(panel, WIDE_PASSES) : null;
  const path = shade ? SHARES.map((share) => pathOf(contour(shade, CELLS, thresholdOf(shade, share), true))).join('') : '';
  panel.lines.forEach((line) => line.setAttribute('d', path));
}

const pathOf = (segments) => segments.map(([from, to]) => `M${text(from)}L${text(to)}`).join('');
const text = (place) => place.map((value) => Number(value.toFixed(2))).join(' ');

function sentence(panel, [x, y]) {
  const plane = panel.data.dims.length === 2
    ? 'The latent plane, decoded.'
    : `The plane of ${label(x)} and ${label(y)}, decoded. The other dimensions keep their values.`;
  const lines = hasLines(panel) ? ' Half of the encoded data lies inside the inner line, 95 % inside the outer one.' : '';
  const hand = matchMedia('(hover: hover)').matches ? ' Hover to preview, click to move.' : ' Touch to move.';
  return plane + lines + hand;
}

// Returns the tiles of the plane that the pad lacks; tiles where little data lies are dim.
export function planeJobs(panel) {
  const [x, y] = padDims(panel);
  panel.padLine.textContent = sentence(panel, [x, y]);
  drawLines(panel);
  const others = panel.z.map((value, d) => (d === x.index || d === y.index ? '' : value));
  const key = `${panel.data.model} ${panel.y} ${x.index} ${y.index} ${Boolean(panel.entry)} ${others}`;
  if (panel.padShows === key) return [];
  panel.padShows = null; // incomplete until the last tile
  const tiles = panel.data.dims.length === 2 ? TILES_2D : TILES;
  const shade = density(panel, isQuantised(panel) ? WIDE_PASSES : PASSES), jobs = [];
  for (let row = 0; row < tiles; row++) {
    for (let column = 0; column < tiles; column++) {
      const z = panel.z.slice();
      z[x.index] = x.low + ((column + 0.5) / tiles) * (x.high - x.low);
      z[y.index] = y.high - ((row + 0.5) / tiles) * (y.high - y.low);
      const cell = (k) => Math.floor(((k + 0.5) / tiles) * CELLS);
      const dense = Math.min(1, 4 * Math.sqrt(shade[cell(row) * CELLS + cell(column)]));
      jobs.push({
        z, canvas: panel.padCanvas, column, row, columns: tiles, rows: tiles, alpha: 0.3 + 0.7 * dense,
        onDrawn: () => row * column === (tiles - 1) ** 2 && (panel.padShows = key),
      });
    }
  }
  return jobs;
}
