// Reads the fields of a graph and its nodes. Each function throws an Error that names what does not fit.

const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']; // numbers that JSON lacks, as text

export function listOf(object, key) {
  if (!Array.isArray(object?.[key])) throw new Error(`${key} is missing`);
  return object[key];
}

// Returns a list of integers of a node, each `least` or more. length: how many, null for any number.
export function integers(node, key, length, least = -Infinity) {
  const found = node[key];
  const fits = Array.isArray(found) && (length === null || found.length === length)
    && found.every((n) => Number.isSafeInteger(n) && n >= least);
  if (!fits) throw new Error(`${key} cannot be ${JSON.stringify(found)}`);
  return found;
}

export function integer(node, key, least) {
  return integers({ [key]: [node[key]] }, key, 1, least)[0];
}

export const isNumber = (found) => typeof found === 'number' || NOT_FINITE.includes(found);

export function number(node, key) {
  if (!isNumber(node[key])) throw new Error(`${key} cannot be ${JSON.stringify(node[key])}`);
  return Number(node[key]);
}

// Returns one dimension of a node, below `rank`; a list of them
export function dimension(node, rank) {
  return dimensions({ dims: [node.dim] }, rank)[0];
}
export function dimensions({ dims }, rank) {
  integers({ dims }, 'dims', null, 0);
  if (dims.some((d) => d >= rank) || new Set(dims).size < dims.length) {
    throw new Error(`dims cannot be [${dims}] of ${rank} dimensions`);
  }
  return dims;
}

export function expect(inputs, least, most = least) {
  if (inputs.length < least || inputs.length > most) throw new Error(`it reads ${inputs.length} values`);
}

export function expectShape(value, shape, what) {
  const fits = value.shape.length === shape.length && shape.every((n, d) => n === null || n === value.shape[d]);
  if (!fits) throw new Error(`${what} has shape [${value.shape}] and not [${shape.map((n) => n ?? '?')}]`);
}
