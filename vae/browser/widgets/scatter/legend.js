// The colours of the points, and what they mean underneath the map.
import { parsed } from './colours.js';
import { choose } from './selection.js';
import { drawSoon } from './view.js';

// a colour for each point (3 N), and what the colours mean underneath the map
export function colour(map) {
  const { points, data } = map, { colouring } = data;
  const colours = new Uint8Array(3 * points.n);
  let of;
  if (colouring.kind === 'class') {
    const table = data.colours.map(parsed);
    of = (p) => table[points.labels[p]];
  } else {
    const { low, high } = colouring, table = colouring.ramp.map(parsed), last = table.length - 1;
    const value = colouring.dim === null ? (p) => points.recon[p] : (p) => points.codes[p * points.dims + colouring.dim];
    of = (p) => table[Math.round(last * Math.max(0, Math.min(1, (value(p) - low) / (high - low || 1))))];
  }
  for (let p = 0; p < points.n; p++) [colours[3 * p], colours[3 * p + 1], colours[3 * p + 2]] = of(p);
  map.colours = colours;
  buildLegend(map);
}

function buildLegend(map) {
  const { data, legend } = map, { colouring } = data;
  const made = (tag, name, text = '') => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const parts = [];
  if (colouring.kind === 'value') {
    map.lit.clear(); // there is no button to put them out
    const ramp = made('span', 'ramp');
    ramp.style.background = `linear-gradient(to right, ${colouring.ramp.join(',')})`;
    parts.push(`${colouring.title}: ${colouring.low.toPrecision(3)} `, ramp, ` ${colouring.high.toPrecision(3)}`);
  } else if (data.classes.length > 1) {
    data.classes.forEach((name, label) => {
      if (!map.counts[label]) return;
      const button = made('button', '', '');
      const swatch = made('span', 'swatch');
      swatch.style.background = data.colours[label];
      button.type = 'button';
      button.title = 'light this class, dim the others';
      button.append(swatch, name, made('span', 'count', map.counts[label]));
      button.setAttribute('aria-pressed', String(map.lit.has(label)));
      button.onclick = () => {
        if (!map.lit.delete(label)) map.lit.add(label);
        button.setAttribute('aria-pressed', String(map.lit.has(label)));
        showLit(map);
      };
      parts.push(button);
    });
    const choose_ = made('button', 'choose', 'Choose the lit ones');
    choose_.type = 'button';
    choose_.onclick = () => choose(map, [...map.points.labels.keys()].filter((p) => map.lit.has(map.points.labels[p])));
    parts.push(choose_);
  }
  legend.replaceChildren(...parts);
  showLit(map);
}

function showLit(map) {
  map.legend.classList.toggle('some', map.lit.size > 0);
  const button = map.legend.querySelector('.choose');
  if (button) button.style.display = map.lit.size ? '' : 'none';
  map.hover = -1;
  map.density = null; // it depends on the highlighted points
  drawSoon(map, true);
}
