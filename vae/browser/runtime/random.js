// Random numbers from a seed, the same in every browser.

// Returns a function that returns the next number in (0, 1]: mulberry32 (Ettinger 2017).
function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (((bits ^ (bits >>> 14)) >>> 0) + 1) / 2 ** 32;
  };
}

// Returns a function that returns the next standard normal sample: Box & Muller's transform (1958).
export function normals(seed) {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

// Returns the elements of an array in random order: the shuffle of Fisher & Yates.
export function shuffled(array, seed) {
  const uniform = uniforms(seed), order = array.slice();
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.ceil(uniform() * (i + 1)) - 1;
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
