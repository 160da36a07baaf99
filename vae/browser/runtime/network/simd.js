// The arithmetic of a network in WebAssembly, with vectors of four float32: the same functions as plain.js. All values
// of a network are views of one memory.
import { assemble, createFunction, f32, f32x4, i32, loopWhile, when } from './assembler.js';

const FLOAT = 4, VECTOR = 16, PANEL = 8; // bytes, bytes, columns of a matrix that are multiplied together
const PAGE = 65536; // bytes
const { add, subtract, multiply, and, less, lessUnsigned, greaterOrEqual, constant } = i32;

// Adds rows (m, k) times a matrix to the bias. The matrix and the bias are in panels of eight columns, and so is what
// is written: (panels, k, 8) -> out (m, 8 * panels). Distances between rows are in bytes.
const MULTIPLY = createFunction('multiply',
  ['rows', 'rowBytes', 'm', 'matrix', 'panels', 'k', 'bias', 'out', 'outBytes'],
  ({ rows, rowBytes, m, matrix, panels, k, bias, out, outBytes }, { integer, vector }) => {
    const left = integer(), row = integer(), target = integer(), w = integer(), end = integer(), end4 = integer();
    const x = Array.from({ length: 4 }, integer), at = Array.from({ length: 4 }, integer);
    const sums = Array.from({ length: 4 }, () => [vector(), vector()]), weights = [vector(), vector()], value = vector();
    const panelBytes = PANEL * FLOAT;

    // step u of k for the first `count` of four rows
    const step = (count, u) => [
      ...weights.flatMap((weight, v) => weight.set(f32x4.load(w.get, u * panelBytes + v * VECTOR))),
      ...x.slice(0, count).flatMap((one, r) => [
        ...value.set(f32x4.loadSplat(one.get, u * FLOAT)),
        ...sums[r].flatMap((sum, v) => sum.set(f32x4.add(sum.get, f32x4.multiply(value.get, weights[v].get)))),
      ]),
    ];
    const steps = (count, limit, unrolled) => loopWhile(less(w.get, limit.get),
      Array.from({ length: unrolled }, (_, u) => step(count, u)).flat(),
      x.slice(0, count).flatMap((one) => one.increase(constant(unrolled * FLOAT))),
      w.increase(constant(unrolled * panelBytes)));
    const rowsAtOnce = (count) => loopWhile(greaterOrEqual(left.get, constant(count)),
      x.slice(0, count).flatMap((one, r) => one.set(r ? add(x[r - 1].get, rowBytes.get) : row.get)),
      at.slice(0, count).flatMap((one, r) => one.set(r ? add(at[r - 1].get, outBytes.get) : target.get)),
      sums.slice(0, count).flatMap((pair) => pair.flatMap((sum, v) => sum.set(f32x4.load(bias.get, v * VECTOR)))),
      row.increase(multiply(rowBytes.get, constant(count))),
      target.increase(multiply(outBytes.get, constant(count))),
      left.increase(constant(-count)),
      w.set(matrix.get),
      steps(count, end4, 4),
      steps(count, end, 1),
      at.slice(0, count).flatMap((one, r) => sums[r].flatMap((sum, v) => f32x4.store(one.get, sum.get, v * VECTOR))));

    return loopWhile(less(constant(0), panels.get),
      end.set(add(matrix.get, multiply(k.get, constant(panelBytes)))),
      end4.set(add(matrix.get, multiply(and(k.get, constant(-4)), constant(panelBytes)))),
      row.set(rows.get), target.set(out.get), left.set(m.get),
      rowsAtOnce(4),
      rowsAtOnce(1),
      matrix.set(end.get), bias.increase(constant(panelBytes)), out.increase(constant(panelBytes)),
      panels.increase(constant(-1)));
  });

// Statements that do something to floats from `to` on, and from `from` on where there is one, four at a time; both move
// on. bytes: of the floats. end: a variable for it
function alongFloats({ to, from, bytes, end }, fourAtOnce, one) {
  const move = (n) => [to, from].flatMap((address) => address?.increase(constant(n)) ?? []);
  return [
    ...end.set(add(to.get, bytes.get)),
    ...loopWhile(greaterOrEqual(subtract(end.get, to.get), constant(VECTOR)), fourAtOnce, move(VECTOR)),
    ...loopWhile(less(to.get, end.get), one, move(FLOAT)),
  ];
}

// A function of the patches of one row, see plain.js. Steps and sizes are in bytes. insideImage, outside: statements for
// `depth` floats of a patch and of a pixel, which move the patch on
function overPatches(name, insideImage, outside) {
  const parameters = ['image', 'height', 'width', 'pixel', 'depth', 'kernelY', 'kernelX', 'dilationY', 'dilationX',
    'columns', 'stride', 'left', 'top', 'patches', 'patchStep'];
  return createFunction(name, parameters, (given, { integer }) => {
    const { image, height, width, pixel, kernelY, kernelX, dilationY, dilationX, columns, stride, left, top, patches, patchStep } = given;
    const ky = integer(), kx = integer(), y = integer(), x = integer();
    const place = { patch: integer(), pixel: integer(), bytes: given.depth, end: integer() };
    const isInside = and(lessUnsigned(y.get, height.get), lessUnsigned(x.get, width.get));
    return loopWhile(less(constant(0), columns.get),
      place.patch.set(patches.get), ky.set(kernelY.get), y.set(top.get),
      loopWhile(less(constant(0), ky.get),
        kx.set(kernelX.get), x.set(left.get),
        loopWhile(less(constant(0), kx.get),
          when(isInside, [
            ...place.pixel.set(add(image.get, multiply(add(multiply(y.get, width.get), x.get), pixel.get))),
            ...insideImage(place),
          ], outside(place)),
          x.increase(dilationX.get), kx.increase(constant(-1))),
        y.increase(dilationY.get), ky.increase(constant(-1))),
      left.increase(stride.get), patches.increase(patchStep.get), columns.increase(constant(-1)));
  });
}

const PATCHES = overPatches('patches',
  ({ patch: to, pixel: from, bytes, end }) => alongFloats({ to, from, bytes, end },
    f32x4.store(to.get, f32x4.load(from.get)), f32.store(to.get, f32.load(from.get))),
  ({ patch: to, bytes, end }) => alongFloats({ to, bytes, end }, f32x4.store(to.get, f32x4.zero), f32.store(to.get, f32.zero)));

const SCATTER = overPatches('scatter',
  ({ patch: from, pixel: to, bytes, end }) => alongFloats({ to, from, bytes, end },
    f32x4.store(to.get, f32x4.add(f32x4.load(to.get), f32x4.load(from.get))),
    f32.store(to.get, f32.add(f32.load(to.get), f32.load(from.get)))),
  ({ patch, bytes }) => patch.increase(bytes.get));

// ---- the arithmetic of a network

let compiled = null; // { module } or { reason }

function compile() {
  try {
    return { module: new WebAssembly.Module(assemble([MULTIPLY, PATCHES, SCATTER])), reason: '' };
  } catch (error) { // none, no vectors, or refused by the page's security policy
    return { module: null, reason: error.message };
  }
}

// Returns why the browser does not run WebAssembly with vectors; "" where it does
export function whyNoSimd() {
  return (compiled ??= compile()).reason;
}

const panelsOf = (n) => Math.ceil(n / PANEL);

// Returns an arithmetic that computes nothing and counts the bytes that a network needs.
export function createMeasure() {
  const measure = { bytes: 0, measures: true };
  const floats = (n) => {
    measure.bytes += FLOAT * PANEL * panelsOf(n);
    return new Float32Array(n);
  };
  return Object.assign(measure, arithmetic(floats));
}

// Returns the arithmetic for a network that needs so many bytes; null where the browser has no memory for it.
export function createSimd(bytes) {
  let memory;
  try {
    memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  const { exports } = new WebAssembly.Instance(compiled.module, { host: { memory } });
  let used = 0;
  const floats = (n) => {
    const found = new Float32Array(memory.buffer, used, n);
    used += FLOAT * PANEL * panelsOf(n);
    return found;
  };
  const address = (data, at) => data.byteOffset + FLOAT * at;
  const overPatches = (run) => (image, at, windows, top, patches, patchStep) => run(
    address(image, at), windows.height, windows.width, FLOAT * windows.pixel, FLOAT * windows.depth, ...windows.kernel,
    ...windows.dilation, windows.columns, windows.stride, windows.left, top, patches.byteOffset, FLOAT * patchStep,
  );
  return {
    measures: false,
    ...arithmetic(floats),
    multiply(rows, at, rowStep, m, { panels, k, values, bias }, out, outAt, outStep) {
      exports.multiply(address(rows, at), FLOAT * rowStep, m, values.byteOffset, panels, k, bias.byteOffset, address(out, outAt), FLOAT * outStep);
    },
    patches: overPatches(exports.patches),
    scatter: overPatches(exports.scatter),
  };
}

// What measuring and computing have in common. A matrix is stored in panels of eight columns, (panels, k, 8). Each buffer
// ends with room for a whole panel.
function arithmetic(floats) {
  return {
    floats,
    constant: (values) => values,
    width: (n) => PANEL * panelsOf(n),
    matrix(n, k) {
      const panels = panelsOf(n), values = floats(panels * k * PANEL);
      const fill = (given) => {
        for (let j = 0; j < n; j++) {
          const to = Math.floor(j / PANEL) * k * PANEL + (j % PANEL);
          for (let t = 0; t < k; t++) values[to + t * PANEL] = given[j * k + t];
        }
      };
      return { panels, k, values, bias: floats(panels * PANEL), fill };
    },
  };
}
