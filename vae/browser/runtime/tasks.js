// Work for the screen: what the hand asks for is done once a frame, and the rest in pieces between frames.

// Returns { soon(work), later(pieces), idle(), stop() }. soon: runs the latest work in the next frame. later: runs a
// generator piece by piece, and gives up the one before.
export function createTasks() {
  let frame = null, wanted = null, timer = null, stopped = false;
  const piece = (pieces) => {
    timer = pieces.next().done ? null : setTimeout(piece, 0, pieces);
  };
  return {
    soon(work) {
      wanted = work;
      frame ??= requestAnimationFrame(() => {
        frame = null;
        if (!stopped) wanted();
      });
    },
    later(pieces) {
      clearTimeout(timer);
      if (!stopped) timer = setTimeout(piece, 0, pieces);
    },
    idle: () => frame === null && timer === null,
    stop() {
      stopped = true;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}
