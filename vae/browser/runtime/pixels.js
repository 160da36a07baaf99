// Writes values (H * W * C), times scale 0 to 255, into the bytes of an ImageData. A pixel that is not finite
// becomes transparent, since black could be data. Returns whether all pixels are finite.
export function fill(rgba, values, scale, channels) {
  const green = channels > 1 ? 1 : 0, blue = channels > 1 ? 2 : 0;
  let finite = true;
  for (let i = 0, from = 0; i < rgba.length; i += 4, from += channels) {
    rgba[i] = values[from] * scale;
    rgba[i + 1] = values[from + green] * scale;
    rgba[i + 2] = values[from + blue] * scale;
    const here = Number.isFinite(values[from] + values[from + green] + values[from + blue]);
    rgba[i + 3] = here ? 255 : 0;
    finite &&= here;
  }
  return finite;
}

// Paints an image on a canvas of the same size; small images are enlarged without smoothing. Returns whether
// all pixels are finite.
export function paintPicture(canvas, values, scale, { height, width, channels }) {
  if (canvas.width !== width || canvas.height !== height || !canvas.image) {
    [canvas.width, canvas.height] = [width, height];
    canvas.classList.toggle('crisp', height < 64);
    canvas.image = new ImageData(width, height);
  }
  const finite = fill(canvas.image.data, values, scale, channels);
  canvas.getContext('2d').putImageData(canvas.image, 0, 0);
  return finite;
}

// Returns an image in torch's order (C, H, W) in the order of the models' images (H, W, C).
export function channelsLast(values, { height, width, channels }) {
  const plane = height * width;
  return values.map((_, i) => values[(i % channels) * plane + Math.floor(i / channels)]);
}

// Returns the i-th image of an answer: its bytes, or NaN where Python marks it as missing.
export function pictureOf({ pixels, count, missing }, i) {
  const size = pixels.length / count;
  return missing.includes(i) ? new Float32Array(size).fill(NaN) : pixels.subarray(i * size, (i + 1) * size);
}
