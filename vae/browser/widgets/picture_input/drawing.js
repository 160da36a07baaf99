// The tab to draw in. Each drawing is a picture of its own; "Clear" begins another one.
import { coloursOf, createPen } from '../../runtime/pen.js';
import { drawingOf } from './own.js';

// change(own) while a stroke grows; release(own) after a stroke, an undo or a clear, with null for an empty pad; undo()
// where the visitor wants to undo the last change, which may be one of the settings.
export function createDrawing(find, { change, release, undo }, signal) {
  const drawing = { own: null, cleared: null };
  const pen = createPen(find('.pad'), {
    width: () => Number(find('.pen-width').value),
    change(strokes) {
      hold(drawing, strokes);
      change(drawing.own);
      showTools(find, pen, drawing);
    },
    release(strokes) {
      hold(drawing, strokes);
      release(drawing.own);
      showTools(find, pen, drawing);
    },
  }, signal);
  find('.pen-undo').onclick = undo;
  find('.pen-clear').onclick = pen.clear;
  showTools(find, pen, drawing);
  return {
    undo: pen.undo,
    // Paints the pad as the data are: light on dark, or dark on light.
    recolour({ preparation }) {
      const colours = coloursOf(preparation);
      pen.recolour(colours);
      find('.paper').style.setProperty('--paper', colours.paper);
    },
    showTools: () => showTools(find, pen, drawing),
    show(own) {
      if (own === drawing.own) return;
      drawing.own = own;
      pen.set(own.strokes);
      showTools(find, pen, drawing);
    },
  };
}

// An undone "Clear" brings back the drawing that it ended.
function hold(drawing, strokes) {
  if (!strokes.length) {
    drawing.cleared = drawing.own;
    drawing.own = null;
    return;
  }
  if (strokes === drawing.cleared?.strokes) drawing.own = drawing.cleared;
  drawing.own ??= drawingOf(strokes);
  drawing.own.strokes = strokes;
}

function showTools(find, pen, { own }) {
  find('.pen-undo').disabled = !pen.canUndo && !own?.past.length;
  find('.pen-clear').disabled = !pen.strokes.length;
  find('.paper').classList.toggle('empty', !pen.strokes.length);
}
