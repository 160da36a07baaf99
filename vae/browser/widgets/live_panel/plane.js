// What the pad shows of two dimensions: the current point, and the density of the data or the decoded plane.
export const CELLS = 64; // across the density; divides 256, the number of levels that samples are quantised to
const TILES = 15; // images across the pad of a 2-D model

export function padDims(panel) {
  const byIndex = (select) => panel.data.dims.find((dim) => dim.index === Number(select.value));
  return [byIndex(panel.axisX), byIndex(panel.axisY)];
}

export function placeCross(panel) {
  if (panel.data.dims.length < 2) return;
  const part = (dim) => Math.max(0, Math.min(1, (panel.z[dim.index] - dim.low) / (dim.high - dim.low)));
  const [x, y] = padDims(panel);
  panel.cross.style.left = `${100 * part(x)}%`;
  panel.cross.style.top = `${100 - 100 * part(y)}%`;
}

// Returns smoothed counts of samples per cell, 0 to 1; (CELLS * CELLS), row 0 at the top.
export function density(panel) {
  const cells = new Float64Array(CELLS * CELLS);
  const draws = panel.entry?.draws ?? [];
  const d = panel.data.dims.length;
  const [x, y] = padDims(panel);
  for (let i = 0; i < draws.length; i += d) {
    const column = Math.floor((draws[i + x.index] * CELLS) / 256);
    const row = CELLS - 1 - Math.floor((draws[i + y.index] * CELLS) / 256);
    cells[row * CELLS + column]++;
  }
  let smooth = cells;
  for (const step of [1, CELLS, 1, CELLS]) { // a box filter of width 3, twice along each axis
    const from = smooth;
    smooth = from.map((v, i) => (from[i - step] ?? 0) + v + (from[i + step] ?? 0));
  }
  const top = Math.max(...smooth) || 1;
  return smooth.map((v) => v / top);
}

export function drawDensity(panel) {
  const key = `${panel.data.model} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  panel.padLine.textContent = 'Shaded: where encoded data lies, by draws from its posteriors. Hover to peek, click to go.';
  if (panel.padShows === key) return;
  panel.padShows = key;
  const canvas = panel.padCanvas;
  canvas.width = canvas.height = CELLS;
  canvas.classList.remove('crisp');
  const context = canvas.getContext('2d');
  context.fillStyle = getComputedStyle(canvas).color;
  density(panel).forEach((value, i) => {
    context.globalAlpha = 0.85 * Math.sqrt(value);
    context.fillRect(i % CELLS, Math.floor(i / CELLS), 1, 1);
  });
}

// Returns the tiles of a 2-D model's plane; tiles without encoded data are dim.
export function manifoldJobs(panel) {
  const key = `${panel.data.model} ${panel.y} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  panel.padLine.textContent = 'The whole latent plane, decoded; dim where no encoded data lies. Hover to peek, click to go.';
  if (panel.padShows === key) return [];
  panel.padShows = null; // incomplete until the last tile
  const [x, y] = padDims(panel);
  const shade = density(panel);
  const jobs = [];
  for (let row = 0; row < TILES; row++) {
    for (let column = 0; column < TILES; column++) {
      const z = panel.z.slice();
      z[x.index] = x.low + ((column + 0.5) / TILES) * (x.high - x.low);
      z[y.index] = y.high - ((row + 0.5) / TILES) * (y.high - y.low);
      const cell = (k) => Math.floor(((k + 0.5) / TILES) * CELLS);
      const dense = Math.min(1, 4 * Math.sqrt(shade[cell(row) * CELLS + cell(column)]));
      jobs.push({
        z, canvas: panel.padCanvas, column, row, columns: TILES, rows: TILES, alpha: 0.3 + 0.7 * dense,
        onDrawn: () => row * column === (TILES - 1) ** 2 && (panel.padShows = key),
      });
    }
  }
  return jobs;
}
