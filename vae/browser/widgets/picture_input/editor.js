// The tools around the photo: its crop frame, rotation, undo.
import { quarterTurned, tiltOf, turned, wholeFrame } from './frame.js';
import { createFrameView } from './frame_view.js';
import { aspectOf } from './own.js';

// commit(settings) ends a change, undo() takes one back.
export function createEditor(input, { commit, undo }, signal) {
  const { find } = input, tilt = find('.tilt');
  const editor = { own: null };
  const preview = (frame) => input.result.preview(editor.own, { ...editor.own.settings, frame, candidate: 0 });
  const release = (frame) => commit({ frame, candidate: 0 });
  const view = createFrameView(find('.crop'), { change: preview, release }, signal);
  const show = (frame) => {
    view.show(editor.own.picture, frame, aspectOf(input.props));
    tilt.value = tiltOf(frame);
  };
  const turnBy = (quarters) => () => release(quarterTurned(editor.own.picture, editor.own.settings.frame, quarters));
  find('.left').onclick = turnBy(-1);
  find('.right').onclick = turnBy(1);
  find('.whole').onclick = () => release(wholeFrame(editor.own.picture, aspectOf(input.props)));
  find('.undo').onclick = undo;
  const tilted = () => {
    const { picture, settings: { frame } } = editor.own;
    return turned(picture, frame, Number(tilt.value) - tiltOf(frame));
  };
  tilt.oninput = () => {
    const frame = tilted();
    show(frame);
    preview(frame);
  };
  tilt.onchange = () => release(tilted());
  return {
    show(own) {
      editor.own = own;
      find('.editor').hidden = false;
      find('.hint').hidden = true;
      find('.undo').disabled = !own.past.length;
      show(own.settings.frame);
    },
  };
}
