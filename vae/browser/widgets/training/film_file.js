// The film as a file.
import { download } from '../../runtime/download.js';
import { encodeGif } from '../../runtime/gif.js';
import { evenly } from './film.js';
import { drawPlane } from './plane.js';
import { sceneOf } from './view.js';

const SIDE = 360; // px
const MAX_FRAMES = 60;
const LAST = 10; // times that the last frame is repeated
const DELAY = 15; // hundredths of a second per frame
const COARSE = 0xf8; // bits that are kept of a colour's value: a GIF has 256 colours

// Saves the latent plane from the first snapshot to the last.
export async function saveGif({ film, data, pictures }) {
  const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  const context = canvas.getContext('2d', { willReadFrequently: true }), frames = [];
  for (const frame of evenly(film.frames, MAX_FRAMES)) {
    const image = await pictures.load(frame);
    drawPlane(context, SIDE, sceneOf(data, frame, [{ image, extent: frame.extent, alpha: 1 }]));
    frames.push(coloursOf(context.getImageData(0, 0, SIDE, SIDE).data));
  }
  frames.push(...Array(LAST).fill(frames.at(-1)));
  download(encodeGif(frames, { width: SIDE, height: SIDE, channels: 3, delay: DELAY, comment: data.credit }), 'image/gif', 'latent-space-film.gif');
}

function coloursOf(rgba) {
  return Uint8Array.from({ length: (rgba.length / 4) * 3 }, (_, i) => rgba[4 * Math.floor(i / 3) + (i % 3)] & COARSE);
}
