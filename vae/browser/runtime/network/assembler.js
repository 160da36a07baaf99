// Writes WebAssembly modules: functions of 32-bit integers (addresses in bytes, and counts) over one imported memory,
// with vectors of four float32. An expression or a statement is the list of its bytes.

const I32 = 0x7f, V128 = 0x7b, NOTHING = 0x40;

function unsigned(n) { // LEB128
  const bytes = [];
  do bytes.push((n & 127) | (n > 127 ? 128 : 0));
  while ((n >>>= 7) > 0);
  return bytes;
}

function signed(n) { // LEB128
  const bytes = [];
  for (;;) {
    const low = n & 127;
    n >>= 7;
    if (n === (low & 64 ? -1 : 0)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

const instruction = (...bytes) => (...operands) => [...operands.flat(), ...bytes];
// align: the binary logarithm of the alignment in bytes. offset: bytes added to the address
const read = (align, ...bytes) => (address, offset = 0) => [...address, ...bytes, align, ...unsigned(offset)];
const write = (align, ...bytes) => (address, value, offset = 0) => [...address, ...value, ...bytes, align, ...unsigned(offset)];

export const i32 = {
  constant: (n) => [0x41, ...signed(n)],
  add: instruction(0x6a), subtract: instruction(0x6b), multiply: instruction(0x6c), and: instruction(0x71),
  less: instruction(0x48), lessUnsigned: instruction(0x49), greaterOrEqual: instruction(0x4e),
};
export const f32 = { zero: [0x43, 0, 0, 0, 0], load: read(2, 0x2a), store: write(2, 0x38), add: instruction(0x92) };
export const f32x4 = {
  zero: [0xfd, 0x0c, ...new Array(16).fill(0)],
  load: read(2, 0xfd, 0x00), loadSplat: read(2, 0xfd, 0x09), store: write(2, 0xfd, 0x0b),
  add: instruction(0xfd, 0xe4, 0x01), multiply: instruction(0xfd, 0xe6, 0x01),
};

export const when = (condition, then, otherwise = []) => (
  [...condition, 0x04, NOTHING, ...then, ...(otherwise.length ? [0x05, ...otherwise] : []), 0x0b]);

export const loopWhile = (condition, ...body) => (
  [0x02, NOTHING, 0x03, NOTHING, ...condition, 0x45, 0x0d, 1, ...body.flat(), 0x0c, 0, 0x0b, 0x0b]);

// A local variable: get is an expression; set(value) and increase(by) are statements.
function variable(index) {
  const get = [0x20, ...unsigned(index)];
  const set = (value) => [...value, 0x21, ...unsigned(index)];
  return { get, set, increase: (by) => set(i32.add(get, by)) };
}

// names: of the parameters. body(parameters by name, { integer(), vector() }, which add local variables) -> statements
export function createFunction(name, names, body) {
  const locals = [];
  const add = (type) => variable(names.length + locals.push(type) - 1);
  const parameters = Object.fromEntries(names.map((parameter, i) => [parameter, variable(i)]));
  const code = body(parameters, { integer: () => add(I32), vector: () => add(V128) });
  const declared = list(locals.map((type) => [1, type]));
  return { name, parameters: names.length, code: sized([...declared, ...code.flat(), 0x0b]) };
}

const list = (items) => [...unsigned(items.length), ...items.flat()];
const sized = (bytes) => [...unsigned(bytes.length), ...bytes];
const text = (string) => sized([...string].map((c) => c.charCodeAt(0))); // ASCII

// Returns the bytes of a module that imports host.memory and exports the functions.
export function assemble(functions) {
  const section = (id, items) => [id, ...sized(list(items))];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, functions.map(({ parameters }) => [0x60, ...list(new Array(parameters).fill([I32])), 0])),
    ...section(2, [[...text('host'), ...text('memory'), 2, 0, 1]]),
    ...section(3, functions.map((_, i) => unsigned(i))),
    ...section(7, functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)])),
    ...section(10, functions.map(({ code }) => code)),
  ]);
}
