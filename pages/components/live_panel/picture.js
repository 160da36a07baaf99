// The picture: decoded here, or asked of the server.

function show(panel, z, y) {
  const decoder = panel.entry?.decoder;
  if (!decoder) {
    if (!panel.entry && !panel.holding) return; // the weights are on their way, and Python's picture stands
    const zs = [z.slice()];
    panel.questions.ask(() => ({ zs, y }), (answer) => {
      paintBytes(panel, answer.pixels);
      tell(panel, 'on the server', answer.milliseconds);
    });
    return;
  }
  const start = performance.now();
  const values = decoder.decode(z, y);
  paint(panel, values, 255);
  tell(panel, 'in your browser', performance.now() - start);
}

function tell(panel, where, milliseconds) {
  const reason = panel.entry?.reason;
  const notes = [reason && `the browser does not decode: ${reason}`, panel.note].filter(Boolean);
  panel.note = '';
  panel.line.textContent = `decoded ${where} in ${milliseconds.toFixed(1)} ms` + notes.map((n) => `; ${n}`).join('');
}

function paintBytes(panel, bytes) {
  paint(panel, bytes, 1);
}

// values (H * W * C), times scale 0 to 255
function paint(panel, values, scale) {
  paintPicture(panel.canvas, values, scale, panel.data);
  panel.canvas.dataset.painted = ++panel.painted; // read by the browser tests
}
