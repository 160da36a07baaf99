// Colours as numbers, and those of the theme.

const known = new Map(); // by CSS text

// Returns [red, green, blue], 0 to 255, of a colour as CSS writes it.
export function parsed(colour) {
  if (!known.has(colour)) {
    const context = (parsed.context ??= new OffscreenCanvas(1, 1).getContext('2d'));
    context.fillStyle = colour;
    known.set(colour, channels(context.fillStyle)); // no pixel is read: some browsers answer with noise
  }
  return known.get(colour);
}

// Returns [red, green, blue] of a colour as a canvas writes it: #rrggbb, rgba(r, g, b, alpha) or color(srgb r g b).
export function channels(text) {
  if (text.startsWith('#')) return [1, 3, 5].map((from) => parseInt(text.slice(from, from + 2), 16));
  const scale = text.startsWith('color(') ? 255 : 1;
  return text.match(/[\d.]+/g).slice(0, 3).map((value) => Math.round(value * scale));
}

// Returns the stage's colours of text and ground, as CSS writes them, and its font: of what is drawn on canvases.
export function themeOf(map) {
  const { color, backgroundColor, fontFamily } = getComputedStyle(map.stage);
  return { text: color, ground: backgroundColor, font: fontFamily };
}

export const packed = ([r, g, b]) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
export const mixed = (a, b, share) => a.map((v, i) => Math.round(v + (b[i] - v) * share));
