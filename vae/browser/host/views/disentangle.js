// Which dimension encodes which factor, and how a factor and a dimension change the image.
import { traversal } from '../../runtime/paths.js';
import { mount as mountHeatMap } from '../../widgets/heat_map/heat_map.js';
import { made } from '../elements.js';
import { createGrid, gridProps } from '../pictures.js';

export const view = {
  name: 'disentangle', title: 'Disentangle', sentence: 'Select a cell to compare its factor with its dimension below.',
  terms: ['dimension', 'factor', 'mutual-information', 'disentanglement', 'infomec', 'dci', 'mig'],
  parts: { heat_map: 'table' },
  serves: (model) => (model.factors ? '' : 'its data have no ground-truth factors, or it is not measured'),
  show,
};

function show(element, host) {
  const { factors } = host.model, map = made('div'), heading = made('h3');
  let cell = clearest(factors.shares);
  const heat = mountHeatMap(map, heatProps(host, cell), (_, index) => {
    cell = [Math.floor(index / host.model.order.length), index % host.model.order.length];
    heat.update(heatProps(host, cell));
    update();
  });
  const rendered = createStrip(host, (i, [k]) => `${factors.names[k]} ${factors.values[k][i]}`);
  const decoded = createStrip(host, (i, [, d]) => `${host.dimName(d)} = ${zs[i][d].toFixed(2)}`, (i) => host.set({ z: zs[i] }));
  let zs;
  const update = () => {
    const { names, steps } = factors, [k, column] = cell, d = host.model.order[column];
    zs = traversal(host.place.z, d, host.model.strips[d], steps);
    heading.textContent = `${names[k]} and ${host.dimName(d)}`;
    rendered.show(`Rendered: only ${names[k]} changes.`, host.sweep(k), [k, d]);
    decoded.show(`Decoded from the current z: only ${host.dimName(d)} changes. Pick an image to use its z.`, zs.map((z) => host.decode(z)), [k, d]);
  };
  element.append(
    map,
    made('p', { className: 'caption', textContent: `Each cell is the mutual information as a share of the factor's entropy. The MIG is the mean gap between the two largest cells of each row. Scores: ${factors.scores}.` }),
    heading, ...rendered.elements, ...decoded.elements,
  );
  update();
  return {
    update,
    destroy() {
      heat.destroy();
      rendered.destroy();
      decoded.destroy();
    },
  };
}

// A caption and a row of images, which a narrow window breaks. label(i, cell) names image i; pick(i), if any, is called
// with the visitor's choice.
function createStrip({ shape }, label, pick) {
  const caption = made('p', { className: 'caption' }), place = made('div'), grid = createGrid(place, pick);
  return {
    elements: [caption, place],
    // images: (H * W * C) in [0, 1]. cell: [factor, dimension]
    show(text, images, cell) {
      caption.textContent = text;
      grid.show(gridProps(images, shape, {
        labels: images.map((_, i) => label(i, cell)), columns: images.length, size: 96, wrap: true, clickable: Boolean(pick), name: text,
      }));
    },
    destroy: grid.destroy,
  };
}

// Returns [row, column] of the largest share.
function clearest(shares) {
  const all = shares.flat(), best = all.indexOf(Math.max(...all));
  return [Math.floor(best / shares[0].length), best % shares[0].length];
}

function heatProps({ model: { factors, order }, dimName }, selected) {
  return {
    name: 'mutual information between factors and dimensions', rows: factors.names, columns: order.map(dimName), selected,
    colours: factors.colours, dark: factors.shares.map((row) => row.map((share) => share > 0.5)), // bright cells need dark text
    texts: factors.shares.map((row) => row.map((share) => share.toFixed(2))),
  };
}
