// The values of a dimension whose code takes only a few (dim.values, ascending; null for any).
export function nearest(values, value) {
  return values.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best));
}

// Returns the value one step up (sign 1) or down (-1): the next of its values, or `size` further.
export function stepped({ values }, value, sign, size) {
  if (!values) return value + sign * size;
  const place = values.indexOf(nearest(values, value)) + sign;
  return values[Math.max(0, Math.min(values.length - 1, place))];
}
