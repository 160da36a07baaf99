// Lines of equal density on a square grid.

// Returns the threshold above which cells hold a share of a grid's sum.
export function thresholdOf(grid, share) {
  const sorted = Float64Array.from(grid).sort(), total = grid.reduce((sum, value) => sum + value, 0);
  let i = sorted.length - 1;
  for (let held = sorted[i]; held < share * total && i > 0; held += sorted[i]) i -= 1;
  return sorted[i];
}

// Returns the line at a level of a grid (cells * cells) as segments [[x, y], [x, y]] in units of a cell, by marching
// squares. The value of a cell is that at its centre. isClosed: beyond the grid it is 0, so that every line is closed.
export function contour(grid, cells, level, isClosed) {
  const at = (x, y) => (x < 0 || y < 0 || x >= cells || y >= cells ? 0 : grid[y * cells + x]);
  const first = isClosed ? -1 : 0, segments = [], end = isClosed ? cells : cells - 1;
  for (let y = first; y < end; y++) {
    for (let x = first; x < end; x++) {
      const corners = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]].map(([i, j]) => ({ i, j, value: at(i, j) }));
      const crossings = corners.flatMap((a, k) => {
        const b = corners[(k + 1) % 4];
        if (a.value >= level === b.value >= level) return [];
        const part = (level - a.value) / (b.value - a.value);
        return [[a.i + part * (b.i - a.i) + 0.5, a.j + part * (b.j - a.j) + 0.5]];
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
    }
  }
  return segments;
}
