// Standard normal samples from a seed, the same in every browser.

// Returns a function that returns the next sample: mulberry32 (Ettinger 2017) through Box & Muller's transform (1958).
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => { // in (0, 1]
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (((bits ^ (bits >>> 14)) >>> 0) + 1) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
