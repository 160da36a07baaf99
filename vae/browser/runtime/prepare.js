// A visitor's picture as the models of a data set know pictures.
import { areaAverage } from './area_average.js';

// picture: { width, height, data }, RGBA without transparency. shape: [C, H, W] of the data. preparation: what the data
// set says of its pictures. invert: whether to swap light and dark; null decides by the picture's border.
// Returns { x, inverted, found, stages: [{ title, picture }], candidates: [{ box, x }] } with x: Float32Array in
// [0, 1], C * H * W values, channel first.
export function prepare(picture, shape, preparation, { invert = null } = {}) {
  const [channels, height, width] = shape;
  const values = channels === 1 ? greyOf(picture) : rgbOf(picture);
  const inverted = invert ?? (Boolean(preparation.light_on_dark) && borderOf(greyOf(picture), picture) > 127);
  if (inverted) values.forEach((value, i) => (values[i] = 255 - value));
  const box = centreCrop(picture, width / height);
  const small = areaAverage(values, picture.width, picture.height, channels, width, height, box);
  if (preparation.binary) small.forEach((value, i) => (small[i] = value > 127 ? 255 : 0));
  const stages = [{ title: 'photo', picture }, { title: 'as the model sees it', picture: pictureOf(small, shape) }];
  const x = channelFirst(small, shape);
  return { x, inverted, found: true, stages, candidates: [{ box: [0, 0, 1, 1], x }] };
}

// Pillow's "L".
export function greyOf({ width, height, data }) {
  const grey = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
    grey[i] = (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 32768) >> 16;
  }
  return grey;
}

function rgbOf({ width, height, data }) {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0, at = 0; i < rgb.length; i += 3, at += 4) rgb.set(data.subarray(at, at + 3), i);
  return rgb;
}

// Returns the median of the outermost pixels.
function borderOf(grey, { width, height }) {
  const border = [];
  for (let x = 0; x < width; x++) border.push(grey[x], grey[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(grey[y * width], grey[y * width + width - 1]);
  border.sort((a, b) => a - b);
  return (border[(border.length - 1) >> 1] + border[border.length >> 1]) / 2;
}

// Returns [left, top, right, bottom] of the largest part of an aspect ratio (width / height) around the middle.
function centreCrop({ width, height }, aspect) {
  const across = Math.min(width, height * aspect), down = across / aspect;
  return [(width - across) / 2, (height - down) / 2, (width + across) / 2, (height + down) / 2];
}

function channelFirst(values, [channels, height, width]) {
  const x = new Float32Array(values.length), plane = height * width;
  for (let i = 0; i < values.length; i++) x[(i % channels) * plane + Math.floor(i / channels)] = values[i] / 255;
  return x;
}

function pictureOf(values, [channels, height, width]) {
  const data = new Uint8ClampedArray(4 * height * width).fill(255);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = values[i * channels + (channels > 1 ? c : 0)];
  }
  return { width, height, data };
}
