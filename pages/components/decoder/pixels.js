// values (H * W * C), times scale 0 to 255, into the bytes of an ImageData
function fill(rgba, values, scale, channels) {
  const green = channels > 1 ? 1 : 0, blue = channels > 1 ? 2 : 0;
  for (let i = 0, from = 0; i < rgba.length; i += 4, from += channels) {
    rgba[i] = values[from] * scale;
    rgba[i + 1] = values[from + green] * scale;
    rgba[i + 2] = values[from + blue] * scale;
    rgba[i + 3] = 255;
  }
}
