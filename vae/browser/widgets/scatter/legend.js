// The colours of the points, and what they mean underneath the map.
import { parsed } from './colours.js';
import { isShown } from './places.js';
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
  legend.replaceChildren(
    ...(colouring.kind === 'value' ? rampOf(colouring) : []),
    ...(data.classes.length > 1 ? classFilter(map) : []),
  );
  showClasses(map);
}

const made = (tag, name, text = '') => Object.assign(document.createElement(tag), { className: name, textContent: text });

function rampOf({ ramp, title, low, high }) {
  const bar = made('span', 'ramp');
  bar.style.background = `linear-gradient(to right, ${ramp.join(',')})`;
  return [`${title}: ${low.toPrecision(3)} `, bar, ` ${high.toPrecision(3)}`];
}

// Returns the buttons of the class filter: one for each class, one that shows all, one that selects the images shown.
function classFilter(map) {
  const { data, counts, shownClasses } = map;
  const classes = data.classes.map((name, label) => [name, label]).filter(([, label]) => counts[label]);
  const toggles = classes.map(([name, label]) => {
    const button = buttonOf('class', '', () => {
      if (!shownClasses.delete(label)) shownClasses.add(label);
      showClasses(map);
    });
    button.dataset.label = label;
    button.title = 'show only the classes that are switched on';
    if (data.colouring.kind === 'class') {
      button.append(made('span', 'swatch'));
      button.firstChild.style.background = data.colours[label];
    }
    button.append(name, made('span', 'count', counts[label]));
    return button;
  });
  const all = buttonOf('all', 'Show all', () => {
    shownClasses.clear();
    showClasses(map);
  });
  const select = buttonOf('choose', 'Select these images', () => {
    choose(map, [...map.points.labels.keys()].filter((p) => isShown(map, p)));
  });
  return [...toggles, all, select, made('span', 'total')];
}

function buttonOf(name, text, click) {
  return Object.assign(made('button', name, text), { type: 'button', onclick: click });
}

function showClasses(map) {
  const { legend, shownClasses, counts, points } = map, some = shownClasses.size > 0;
  legend.classList.toggle('some', some);
  for (const button of legend.querySelectorAll('.class')) {
    button.setAttribute('aria-pressed', String(shownClasses.has(Number(button.dataset.label))));
  }
  for (const button of legend.querySelectorAll('.all, .choose')) button.hidden = !some;
  const total = legend.querySelector('.total');
  const n = [...shownClasses].reduce((sum, label) => sum + counts[label], 0);
  if (total) total.textContent = some ? `${n.toLocaleString('en')} of ${points.n.toLocaleString('en')} images` : '';
  map.hover = -1;
  map.density = null; // it depends on the highlighted points
  drawSoon(map, true);
}
