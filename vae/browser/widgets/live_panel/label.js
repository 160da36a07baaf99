// The name of a dimension: the visitor's, else z and its number.
export function label(dim) {
  return dim.name || `z${dim.index}`;
}
