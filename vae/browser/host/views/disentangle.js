// Which dimension encodes which factor, and how a factor and a dimension change the image.
import { mount as mountHeatMap } from '../../widgets/heat_map/heat_map.js';
import { mount as mountGrid } from '../../widgets/picture_grid/picture_grid.js';
import { made } from '../elements.js';
import { gridProps } from '../pictures.js';

export const view = {
  name: 'disentangle', title: 'Disentangle', sentence: 'Select a cell to compare its factor with its dimension below.',
  serves: (model) => (model.factors ? '' : 'its data have no ground-truth factors, or it is not measured'),
  show,
};

function show(element, host) {
  const { factors } = host.model, map = made('div'), heading = made('h3'), strips = made('div');
  let cell = clearest(factors.shares);
  element.append(
    map,
    made('p', { className: 'caption', textContent: `Each cell is the mutual information as a share of the factor's entropy. The MIG, ${factors.mig.toFixed(2)}, is the mean gap between the two largest cells of each row.` }),
    heading, strips,
    made('p', { className: 'caption', textContent: 'Top: images rendered with only this factor changed. Bottom: only this dimension changes, decoded from the current z. Pick a decoded image to use its z.' }),
  );
  const heat = mountHeatMap(map, heatProps(host, cell), (_, index) => {
    cell = [Math.floor(index / host.model.order.length), index % host.model.order.length];
    heat.update(heatProps(host, cell));
    showStrips();
  });
  let zs;
  const stripProps = () => {
    const { names, values, steps } = factors, [k, column] = cell, d = host.model.order[column], [low, high] = host.model.strips[d];
    zs = Array.from({ length: steps }, (_, i) => host.place.z.map((value, e) => (e === d ? low + ((high - low) * i) / (steps - 1) : value)));
    heading.textContent = `${names[k]} and ${host.dimName(d)}`;
    return gridProps([...host.sweep(k), ...zs.map((z) => host.decode(z))], host.shape, {
      labels: [...values[k].map((value) => `${names[k]} ${value}`), ...zs.map((z) => `${host.dimName(d)} = ${z[d].toFixed(2)}`)],
      columns: steps, size: 96, row_labels: [names[k], host.dimName(d)], name: 'a factor and a dimension',
    });
  };
  const grid = mountGrid(strips, stripProps(), (_, i) => i >= factors.steps && host.set({ z: zs[i - factors.steps] }));
  const showStrips = () => grid.update(stripProps());
  return {
    update: showStrips,
    destroy() {
      heat.destroy();
      grid.destroy();
    },
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
