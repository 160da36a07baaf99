// The surroundings of the current code: film strips and the pad, drawn only while the pointer rests.
import { fill, pictureOf } from '../../runtime/pixels.js';
import { show, showLine } from './picture.js';
import { planeJobs } from './plane.js';

const REST_AFTER = 120; // ms without movement before strips are drawn
const MAX_SLICE = 6; // ms that drawing strips may block the page at a time
export const TILES = 7; // images in a film strip

// Strips keep to the range of the encoded data, also where the track is longer.
export function tileValue({ dim }, i) {
  return dim.low + ((i + 0.5) / TILES) * (dim.high - dim.low);
}

// Shows the image of another code without changing the current one.
export function preview(panel, changes) {
  panel.previewing = true;
  const z = panel.z.slice();
  for (const [index, value] of Object.entries(changes)) z[index] = value;
  show(panel, z, panel.y);
}

export function restore(panel) {
  if (!panel.previewing) return;
  panel.previewing = false;
  show(panel, panel.z, panel.y);
}

export function rest(panel) {
  clearTimeout(panel.restTimer);
  panel.work++; // cancels drawing in progress
  panel.unfinished = true;
  panel.restTimer = setTimeout(drawAround, REST_AFTER, panel);
}

function drawAround(panel) {
  showLine(panel);
  if (!panel.entry || panel.holding || document.hidden || !panel.canvas.isConnected) {
    if (panel.holding) panel.restTimer = setTimeout(drawAround, REST_AFTER, panel);
    return;
  }
  const jobs = [];
  for (const row of shownRows(panel)) {
    for (let i = 0; i < TILES; i++) {
      const z = panel.z.slice();
      z[row.dim.index] = tileValue(row, i);
      jobs.push({ z, canvas: row.strip, column: i, row: 0, columns: TILES, rows: 1, alpha: 1 });
    }
  }
  if (panel.data.dims.length > 1) jobs.push(...planeJobs(panel));
  runJobs(panel, jobs, panel.work);
}

function shownRows(panel) {
  return panel.rows.filter((row) => row.element.style.display !== 'none');
}

function runJobs(panel, jobs, work) {
  const decoder = panel.entry?.decoder;
  if (!decoder) {
    askForTiles(panel, jobs, work);
    return;
  }
  const slice = () => {
    if (work !== panel.work || document.hidden) return;
    const until = performance.now() + MAX_SLICE;
    while (jobs.length && performance.now() < until) {
      const job = jobs.shift();
      drawTile(panel, job, decoder.decode(job.z, panel.y), 255);
    }
    if (jobs.length) setTimeout(slice);
    else panel.unfinished = false;
  };
  slice();
}

function askForTiles(panel, jobs, work) {
  const { questions } = panel;
  if (questions.inFlight) {
    questions.whenFree = () => {
      questions.whenFree = null;
      if (work === panel.work) askForTiles(panel, jobs, work);
    };
    return;
  }
  const some = jobs.splice(0, 64);
  if (!some.length || work !== panel.work) {
    panel.unfinished = some.length > 0;
    return;
  }
  const zs = some.map((job) => job.z), { y } = panel;
  questions.ask(() => ({ zs, y }), (answer) => {
    if (work !== panel.work) return;
    some.forEach((job, i) => drawTile(panel, job, pictureOf(answer, i), 1));
    questions.whenFree = () => {
      questions.whenFree = null;
      askForTiles(panel, jobs, work);
    };
  });
}

function drawTile(panel, job, values, scale) {
  const { width, height, channels } = panel.data;
  if (job.canvas.width !== width * job.columns || job.canvas.height !== height * job.rows) {
    job.canvas.width = width * job.columns;
    job.canvas.height = height * job.rows;
    job.canvas.classList.toggle('crisp', height < 64);
  }
  if (panel.tile?.width !== width || panel.tile.height !== height) panel.tile = new ImageData(width, height);
  fill(panel.tile.data, values, scale * job.alpha, channels);
  job.canvas.getContext('2d').putImageData(panel.tile, job.column * width, job.row * height);
  job.onDrawn?.();
}
