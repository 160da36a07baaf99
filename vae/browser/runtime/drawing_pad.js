// A square canvas to draw on. The drawing is kept as strokes, see strokes.js.
import { rasterise } from './strokes.js';

const SIZE = 280; // px across the drawing, and across the picture of it

// strokes: the drawing at first, which the visitor's first stroke replaces. width(): of a new stroke, a fraction of the
// square. changed(): called after each change. light: whether the pad shows light ink on a dark ground.
// Returns { strokes, undo(), clear(), picture(), show(), light }.
export function createDrawingPad(canvas, { strokes = [], width, changed, light }) {
  const pad = {
    strokes, light, isExample: true, pointer: null,
    undo: () => replace(pad.strokes.slice(0, -1)),
    clear: () => replace([]),
    // Returns the drawing as a picture { width, height, data }: dark ink on white paper, RGBA.
    picture: () => rasterise(pad.strokes, SIZE),
    show() {
      const { data } = pad.picture();
      if (pad.light) data.forEach((value, i) => (data[i] = i % 4 === 3 ? value : 255 - value));
      [canvas.width, canvas.height] = [SIZE, SIZE];
      canvas.getContext('2d').putImageData(new ImageData(data, SIZE, SIZE), 0, 0);
    },
  };
  function edited() {
    pad.isExample = false;
    pad.show();
    changed();
  }
  function replace(strokes) {
    pad.pointer = null; // a stroke that is being drawn ends
    pad.strokes = strokes;
    edited();
  }
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  // One pointer draws, with its main button: a palm or a second finger never joins the stroke.
  canvas.onpointerdown = (event) => {
    if (pad.pointer !== null || event.button !== 0) return;
    pad.pointer = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    pad.strokes = [...(pad.isExample ? [] : pad.strokes), { width: width(), points: [place(event)] }];
    edited();
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pad.pointer) return;
    pad.strokes.at(-1).points.push(place(event));
    edited();
  };
  canvas.onpointerup = canvas.onpointercancel = canvas.onlostpointercapture = (event) => {
    if (event.pointerId === pad.pointer) pad.pointer = null;
  };
  return pad;
}
