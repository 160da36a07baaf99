// The pad: moves two dimensions at once, over the density of the data or the decoded plane.

function padDims(panel) {
  const byIndex = (select) => panel.data.dims.find((dim) => dim.index === Number(select.value));
  return [byIndex(panel.axisX), byIndex(panel.axisY)];
}

function setUpPad(panel) {
  const at = (event) => {
    const box = panel.pad.getBoundingClientRect();
    const [x, y] = padDims(panel);
    const part = (value) => Math.max(0, Math.min(1, value));
    const across = part((event.clientX - box.left) / box.width), up = part((box.bottom - event.clientY) / box.height);
    const place = {};
    if (!y.locked) place[y.index] = y.low + up * (y.high - y.low);
    if (!x.locked) place[x.index] = x.low + across * (x.high - x.low);
    return place;
  };
  const follow = (event) => {
    panel.previewing = false;
    Object.assign(panel.z, at(event));
    moved(panel);
  };
  panel.pad.onpointerdown = (event) => {
    panel.pad.setPointerCapture(event.pointerId);
    panel.holding = true;
    follow(event);
  };
  panel.pad.onpointermove = (event) => {
    if (panel.pad.hasPointerCapture(event.pointerId)) follow(event);
    else if (event.pointerType === 'mouse') preview(panel, at(event));
  };
  panel.pad.onpointerup = panel.pad.onpointercancel = () => commit(panel);
  panel.pad.onpointerleave = () => restore(panel);
  panel.pad.onkeydown = (event) => {
    const [x, y] = padDims(panel);
    const step = { ArrowRight: [x, 1], ArrowLeft: [x, -1], ArrowUp: [y, 1], ArrowDown: [y, -1] }[event.key];
    if (!step || step[0].locked) return;
    event.preventDefault();
    panel.holding = true;
    const [dim, sign] = step;
    panel.z[dim.index] += sign * ((dim.high - dim.low) / 100) * (event.shiftKey ? 10 : 1);
    moved(panel);
    commitSoon(panel);
  };
  panel.axisX.onchange = panel.axisY.onchange = () => {
    placeCross(panel);
    rest(panel);
  };
}

function placeCross(panel) {
  if (panel.data.dims.length < 2) return;
  const part = (dim) => Math.max(0, Math.min(1, (panel.z[dim.index] - dim.low) / (dim.high - dim.low)));
  const [x, y] = padDims(panel);
  panel.cross.style.left = `${100 * part(x)}%`;
  panel.cross.style.top = `${100 - 100 * part(y)}%`;
}

// Returns smoothed counts of samples per cell, 0 to 1; (CELLS * CELLS), row 0 at the top.
function density(panel) {
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

function drawDensity(panel) {
  const key = `${panel.data.model} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  panel.padLine.textContent = 'Shaded: where encoded data lies, by draws from its posteriors. Hover to peek, click to go.';
  if (panel.padShows === key) return;
  panel.padShows = key;
  const canvas = panel.padCanvas;
  canvas.width = canvas.height = CELLS;
  canvas.classList.remove('crisp');
  const context = canvas.getContext('2d');
  context.fillStyle = getComputedStyle(panel.pad).getPropertyValue('--st-primary-color') || '#3f90da';
  density(panel).forEach((value, i) => {
    context.globalAlpha = 0.85 * Math.sqrt(value);
    context.fillRect(i % CELLS, Math.floor(i / CELLS), 1, 1);
  });
}

// Returns the tiles of a 2-D model's plane; tiles without encoded data are dim.
function manifoldJobs(panel) {
  const key = `${panel.data.model} ${panel.y} ${panel.axisX.value} ${panel.axisY.value} ${Boolean(panel.entry)}`;
  panel.padLine.textContent = 'The whole latent plane, decoded; dim where no encoded data lies. Hover to peek, click to go.';
  if (panel.padShows === key) return [];
  panel.padShows = null; // incomplete until the last tile
  const [x, y] = padDims(panel);
  const shade = density(panel);
  const jobs = [];
  for (let row = 0; row < PAD_TILES; row++) {
    for (let column = 0; column < PAD_TILES; column++) {
      const z = panel.z.slice();
      z[x.index] = x.low + ((column + 0.5) / PAD_TILES) * (x.high - x.low);
      z[y.index] = y.high - ((row + 0.5) / PAD_TILES) * (y.high - y.low);
      const cell = (k) => Math.floor(((k + 0.5) / PAD_TILES) * CELLS);
      const dense = Math.min(1, 4 * Math.sqrt(shade[cell(row) * CELLS + cell(column)]));
      jobs.push({
        z, canvas: panel.padCanvas, column, row, columns: PAD_TILES, rows: PAD_TILES, alpha: 0.3 + 0.7 * dense,
        onDrawn: () => row * column === (PAD_TILES - 1) ** 2 && (panel.padShows = key),
      });
    }
  }
  return jobs;
}
