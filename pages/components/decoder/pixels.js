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

// a whole picture on a canvas of its size; small ones keep their pixels' edges
function paintPicture(canvas, values, scale, { height, width, channels }) {
  if (canvas.width !== width || canvas.height !== height || !canvas.image) {
    [canvas.width, canvas.height] = [width, height];
    canvas.classList.toggle('crisp', height < 64);
    canvas.image = new ImageData(width, height);
  }
  fill(canvas.image.data, values, scale, channels);
  canvas.getContext('2d').putImageData(canvas.image, 0, 0);
}
