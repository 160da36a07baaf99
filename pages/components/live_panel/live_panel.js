// Sliders over a latent point. The default export runs again at every change of data, while
// parentElement persists: what must outlive a run is kept on it.
const COMMIT_AFTER = 250; // ms of rest after the last key: arrow keys come in bursts
const GIVE_UP_AFTER = 2000; // ms without an answer: the request is taken for lost

export default function (component) {
  const { data, parentElement } = component;
  const panel = (parentElement.panel ??= createPanel(parentElement));
  panel.component = component;
  if (panel.version !== data.version || panel.model !== data.model) startFrom(panel, data);
  const answered = data.answers !== 0 && data.answers === panel.inFlight;
  if (data.answers === 0 || answered || !panel.painted) paint(panel, data);
  if (answered) {
    panel.inFlight = 0;
    if (panel.dirty) ask(panel);
  } else if (data.answers !== 0 && panel.painted === 1) {
    ask(panel); // mounted again upon a drag that was never released: that picture is not z's
  }
}

function createPanel(root) {
  const panel = {
    canvas: root.querySelector('canvas'),
    line: root.querySelector('.line'),
    sliders: root.querySelector('.sliders'),
    more: root.querySelector('.more'),
    inputs: [], z: [], seq: 0, inFlight: 0, dirty: false, expanded: false, painted: 0,
  };
  panel.more.onclick = () => {
    panel.expanded = !panel.expanded;
    showSliders(panel);
  };
  return panel;
}

// a new point, written elsewhere or by our own release: the sliders follow it
function startFrom(panel, data) {
  const sameModel = panel.model === data.model;
  const held = sameModel && panel.holding; // a hand that already moves on keeps its place
  panel.version = data.version;
  panel.inFlight = 0;
  if (!sameModel) {
    panel.model = data.model;
    buildSliders(panel, data);
  }
  if (held) {
    ask(panel);
    return;
  }
  panel.dirty = false;
  panel.z = data.z.slice();
  for (const { index, input, output } of panel.inputs) {
    // a point may lie outside the range of encoded data: the track makes room
    input.min = Math.min(Number(input.dataset.low), panel.z[index]);
    input.max = Math.max(Number(input.dataset.high), panel.z[index]);
    input.value = panel.z[index];
    output.textContent = panel.z[index].toFixed(2);
  }
}

function buildSliders(panel, data) {
  const strongest = Math.max(...data.dims.map((dim) => dim.kl ?? 0), 1e-9);
  panel.inputs = data.dims.map((dim) => {
    const row = document.createElement('div');
    row.className = 'slider';
    const id = `z${dim.index}`;
    row.innerHTML =
      `<label for="${id}">z<sub>${dim.index}</sub></label>` +
      `<input type="range" id="${id}" step="any"><output for="${id}"></output>`;
    const [, input, output] = row.children;
    input.setAttribute('aria-label', `latent dimension ${dim.index}`);
    input.dataset.low = dim.low;
    input.dataset.high = dim.high;
    if (dim.kl !== null) {
      const kl = document.createElement('div');
      kl.className = 'kl';
      kl.title = 'what this dimension carries on test data: KL(q(z|x) || p(z)) in nats';
      const bar = document.createElement('i');
      bar.style.width = `${(60 * Math.max(dim.kl, 0)) / strongest}%`;
      kl.append(bar, `${dim.kl.toFixed(2)} nats`);
      row.append(kl);
    }
    input.oninput = () => {
      panel.holding = true;
      panel.z[dim.index] = Number(input.value);
      output.textContent = Number(input.value).toFixed(2);
      panel.dirty = true;
      if (!panel.inFlight || performance.now() - panel.askedAt > GIVE_UP_AFTER) ask(panel);
    };
    input.onchange = () => commit(panel);
    input.onkeydown = (event) => {
      const step = (Number(input.max) - Number(input.min)) / 100;
      const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!sign) return; // with step "any" a browser's own arrow step depends on the browser
      event.preventDefault();
      input.value = Number(input.value) + sign * step * (event.shiftKey ? 10 : 1);
      input.oninput();
      clearTimeout(panel.commitTimer);
      panel.commitTimer = setTimeout(commit, COMMIT_AFTER, panel);
    };
    return { index: dim.index, row, input, output };
  });
  panel.sliders.replaceChildren(...panel.inputs.map(({ row }) => row));
  panel.shownFirst = data.shown_first;
  showSliders(panel);
}

function showSliders(panel) {
  const all = panel.inputs.length;
  panel.inputs.forEach(({ row }, i) => (row.hidden = !panel.expanded && i >= panel.shownFirst));
  panel.inputs.forEach(({ row }) => (row.style.display = row.hidden ? 'none' : ''));
  panel.more.style.display = all > panel.shownFirst ? '' : 'none';
  panel.more.textContent = panel.expanded ? `Show the first ${panel.shownFirst}` : `Show all ${all}`;
  panel.more.setAttribute('aria-expanded', panel.expanded);
}

function commit(panel) {
  panel.holding = false;
  panel.component.setTriggerValue('commit', { model: panel.model, z: panel.z.slice() });
}

function ask(panel) {
  panel.dirty = false;
  panel.inFlight = ++panel.seq;
  panel.askedAt = performance.now();
  panel.component.setStateValue('drag', {
    model: panel.model, version: panel.version, seq: panel.seq, z: panel.z.slice(),
  });
}

function paint(panel, data) {
  const { width, height, channels, pixels } = data.picture;
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const image = new ImageData(width, height);
  for (let i = 0, from = 0; i < image.data.length; i += 4, from += channels) {
    image.data[i] = bytes[from];
    image.data[i + 1] = bytes[from + (channels > 1 ? 1 : 0)];
    image.data[i + 2] = bytes[from + (channels > 1 ? 2 : 0)];
    image.data[i + 3] = 255;
  }
  if (panel.canvas.width !== width) panel.canvas.width = width;
  if (panel.canvas.height !== height) panel.canvas.height = height;
  panel.canvas.classList.toggle('crisp', height < 64);
  panel.canvas.getContext('2d').putImageData(image, 0, 0);
  panel.canvas.dataset.painted = ++panel.painted; // read by the browser tests
  panel.line.textContent = `decoded on the server in ${data.milliseconds.toFixed(1)} ms`;
}
