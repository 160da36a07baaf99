// The picture: decoded here, or asked of the server.

function show(panel, z, y) {
  const decoder = panel.entry?.decoder;
  if (!decoder) {
    if (!panel.entry && !panel.holding) return; // the weights are on their way, and Python's picture stands
    panel.wanted = { z: z.slice(), y };
    if (!panel.inFlight || performance.now() - panel.inFlight.at > GIVE_UP_AFTER) askForPicture(panel);
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
  const { width, height, channels } = panel.data;
  if (!panel.image) {
    panel.image = new ImageData(width, height);
    panel.canvas.width = width;
    panel.canvas.height = height;
    panel.canvas.classList.toggle('crisp', height < 64);
    panel.context = panel.canvas.getContext('2d');
  }
  fill(panel.image.data, values, scale, channels);
  panel.context.putImageData(panel.image, 0, 0);
  panel.canvas.dataset.painted = ++panel.painted; // read by the browser tests
}

// ---- the server path: one request in flight, the latest value wins

function askForPicture(panel) {
  const { z, y } = panel.wanted;
  panel.wanted = null;
  ask(panel, [z], y, (answer) => {
    paintBytes(panel, answer.pixels);
    tell(panel, 'on the server', answer.milliseconds);
  });
}

function ask(panel, zs, y, use) {
  panel.inFlight = { seq: ++panel.seq, at: performance.now(), use };
  panel.component.setStateValue('ask', { panel: panel.id, model: panel.data.model, seq: panel.seq, zs, y });
}

function takeAnswer(panel, answer) {
  if (answer.panel !== panel.id || answer.seq !== panel.inFlight?.seq) return;
  const { use } = panel.inFlight;
  panel.inFlight = null;
  use(answer);
  if (panel.wanted) askForPicture(panel);
  else panel.whenFree?.();
}
