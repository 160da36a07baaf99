// The image: decoded in the browser, or by the server.
import { fromBase64 } from '../../runtime/base64.js';
import { paintPicture, pictureOf } from '../../runtime/pixels.js';

export function show(panel, z, y) {
  const decoder = panel.entry?.decoder;
  if (!decoder) {
    if (!panel.entry && !panel.holding) return; // the weights are loading; Python's image stays
    const zs = [z.slice()];
    panel.questions.ask(() => ({ zs, y }), (answer) => {
      paint(panel, pictureOf(answer, 0), 1);
      showTiming(panel, 'on the server', answer.milliseconds);
    });
    return;
  }
  const start = performance.now();
  const values = decoder.decode(z, y);
  paint(panel, values, 255);
  showTiming(panel, `in your browser${decoder.isPlain ? ', in plain JavaScript,' : ''}`, performance.now() - start);
}

function showTiming(panel, where, milliseconds) {
  panel.timing = { where, milliseconds };
  if (!panel.holding || panel.note) showLine(panel); // during a drag it is shown at rest, since a new text costs a layout
}

export function showLine(panel) {
  if (panel.empty || !panel.timing) return;
  const { where, milliseconds } = panel.timing;
  panel.timing = null;
  const reason = panel.entry?.reason;
  const notes = [reason && `this browser cannot decode: ${reason}`, panel.note].filter(Boolean);
  panel.note = '';
  panel.line.textContent = `decoded ${where} in ${milliseconds.toFixed(1)} ms` + notes.map((n) => `; ${n}`).join('');
}

// Paints the current image as sent by Python; without bytes the image is not finite.
export function paintSent(panel) {
  const { pixels, height, width, channels } = panel.data;
  const nothing = new Float32Array(height * width * channels).fill(NaN);
  paint(panel, pixels ? fromBase64(pixels) : nothing, 1);
}

// Paints values (H * W * C), times scale 0 to 255.
function paint(panel, values, scale) {
  panel.empty = !paintPicture(panel.canvas, values, scale, panel.data);
  if (panel.empty) panel.line.textContent = panel.data.no_number;
  if (!panel.painted) panel.emit('painted');
  panel.canvas.dataset.painted = ++panel.painted; // read by the browser tests
}
