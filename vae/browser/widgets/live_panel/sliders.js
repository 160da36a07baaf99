// The sliders: a row per dimension with name, KL, value, lock, track, histogram and film strip.
import { preview, restore, TILES, tileValue } from './around.js';
import { label } from './label.js';
import { saveGif, showPlaying, togglePlay } from './play.js';
import { commit, commitSoon, moved } from './point.js';
import { stepped } from './snap.js';

export function buildRows(panel) {
  const { dims, model } = panel.data;
  panel.rows = dims.map((dim) => {
    const element = document.createElement('div');
    element.className = 'slider';
    element.innerHTML = `
      <div class="head">
        <button type="button" class="name printed" title="click to name this dimension"></button>
        <span class="kl" title="KL(q(z|x) || p(z)) of this dimension, averaged over test images"></span>
        <output><span class="value"> </span></output>
        <button type="button" class="quiet play" title="move this slider back and forth">play</button>
        <button type="button" class="quiet gif" title="save the animation">GIF</button>
        <button type="button" class="quiet lock" title="a locked dimension keeps its value">lock</button>
      </div>
      <input type="range" step="any">
      <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
        <title>grey: encoded data; line: the prior, if it is Gaussian</title><path class="data"/><path class="prior"/>
      </svg>
      <canvas class="strip" aria-hidden="true" title="the decoded image at each position of the slider"></canvas>`;
    const find = (selector) => element.querySelector(selector);
    const row = {
      dim, element, name: find('.name'), value: find('.value').firstChild, lock: find('.lock'), input: find('input'),
      play: find('.play'), gif: find('.gif'),
      svg: find('svg'), strip: find('.strip'),
    };
    find('.kl').textContent = dim.kl === null ? '' : `KL ${dim.kl.toFixed(2)} nats`;
    row.input.dataset.dim = dim.index;
    row.input.oninput = () => {
      panel.holding = true;
      panel.z[dim.index] = Number(row.input.value);
      moved(panel);
    };
    row.input.onchange = () => commit(panel);
    row.input.onkeydown = (event) => {
      const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!sign || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault(); // with step "any" the step of the browser is undefined
      const step = ((row.high - row.low) / 100) * (event.shiftKey ? 10 : 1);
      row.input.value = stepped(row.dim, Number(row.input.value), sign, step);
      row.input.oninput();
      commitSoon(panel);
    };
    row.lock.onclick = () => {
      const current = panel.data.dims.find((other) => other.index === dim.index);
      current.locked = !current.locked;
      panel.emit('lock', { model, index: dim.index, locked: current.locked });
      showNamesAndLocks(panel);
    };
    row.play.onclick = () => togglePlay(panel, row);
    row.gif.onclick = () => saveGif(panel, row);
    row.name.onclick = () => rename(panel, row);
    setUpStrip(panel, row);
    return row;
  });
  const parts = [];
  panel.rows.forEach((row, i) => {
    const first = i === 0 || panel.rows[i - 1].dim.group !== row.dim.group;
    row.place = first ? 0 : panel.rows[i - 1].place + 1; // index in its group
    if (first && row.dim.group) {
      const heading = document.createElement('h4');
      heading.textContent = row.dim.group;
      parts.push(heading);
    }
    parts.push(row.element);
  });
  panel.sliders.replaceChildren(...parts);
  showRows(panel);
}

function setUpStrip(panel, row) {
  const at = (event) => {
    const box = row.strip.getBoundingClientRect();
    const i = Math.floor(((event.clientX - box.left) / box.width) * TILES);
    return tileValue(row, Math.max(0, Math.min(TILES - 1, i)));
  };
  row.strip.onpointermove = (event) => {
    if (event.pointerType !== 'mouse' || event.buttons || row.dim.locked) return;
    preview(panel, { [row.dim.index]: at(event) });
  };
  row.strip.onpointerleave = () => restore(panel);
  row.strip.onclick = (event) => {
    if (row.dim.locked) return;
    panel.previewing = false;
    panel.z[row.dim.index] = at(event);
    moved(panel);
    commit(panel);
  };
}

export function showRows(panel) {
  const all = panel.rows.length, first = panel.data.shown_first;
  const each = panel.rows.some((row) => row.dim.group) ? ' of each level' : '';
  panel.rows.forEach((row) => (row.element.style.display = panel.expanded || row.place < first ? '' : 'none'));
  panel.more.style.display = panel.rows.some((row) => row.place >= first) ? '' : 'none';
  panel.more.textContent = panel.expanded ? `Show the first ${first}${each}` : `Show all ${all}`;
  panel.more.setAttribute('aria-expanded', panel.expanded);
}

export function showNamesAndLocks(panel) {
  panel.rows.forEach((row, i) => {
    row.dim = Object.assign(row.dim, { name: panel.data.dims[i].name, locked: panel.data.dims[i].locked });
    row.name.textContent = label(row.dim);
    row.input.setAttribute('aria-label', `${label(row.dim)}, latent dimension ${row.dim.index}`);
    row.input.disabled = row.dim.locked;
    row.lock.textContent = row.dim.locked ? 'locked' : 'lock';
    row.lock.setAttribute('aria-pressed', row.dim.locked);
    row.lock.setAttribute('aria-label', `lock ${label(row.dim)}`);
    row.gif.setAttribute('aria-label', `save the animation of ${label(row.dim)} as GIF`);
    for (const select of [panel.axisX, panel.axisY]) select.options[i].textContent = label(row.dim);
  });
  showPlaying(panel);
}

function rename(panel, row) {
  const field = document.createElement('input');
  field.className = 'rename';
  field.maxLength = 24;
  field.value = label(row.dim);
  field.setAttribute('aria-label', `name of latent dimension ${row.dim.index}`);
  row.name.replaceWith(field);
  field.focus();
  field.select();
  let finished = false;
  const finish = (keep) => {
    if (finished) return; // removing the field blurs it, which calls finish again
    finished = true;
    const name = keep ? field.value.trim() : row.dim.name;
    field.replaceWith(row.name);
    row.name.focus();
    if (name === label(row.dim) || name === row.dim.name) return;
    panel.data.dims.find((dim) => dim.index === row.dim.index).name = row.dim.name = name;
    row.name.textContent = label(row.dim);
    panel.emit('rename', { model: panel.data.model, index: row.dim.index, name });
  };
  field.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault(); // the focus moves to the label, which this key must not press
    finish(event.key === 'Enter');
  };
  field.onblur = () => finish(true);
}

export function buildClasses(panel) {
  panel.classes.replaceChildren(...panel.data.classes.map((name, value) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.value = value;
    button.textContent = name;
    button.onclick = () => {
      panel.y = value;
      moved(panel);
      commit(panel);
    };
    return button;
  }));
}
