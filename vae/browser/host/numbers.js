// Numbers of an address, which may be anything.

// Returns the number that a text holds if it lies between low and high, else `otherwise`.
export function within(text, low, high, otherwise) {
  const value = typeof text === 'string' && text.trim() ? Number(text) : text;
  return typeof value === 'number' && value >= low && value <= high ? value : otherwise;
}
