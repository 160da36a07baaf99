// The pad: moves two dimensions at once.
import { preview, rest, restore } from './around.js';
import { padDims, placeCross } from './plane.js';
import { commit, commitSoon, moved } from './point.js';
import { stepped } from './snap.js';

export function setUpPad(panel) {
  const at = (event) => {
    const box = panel.pad.getBoundingClientRect();
    const [x, y] = padDims(panel);
    const part = (value) => Math.max(0, Math.min(1, value));
    const across = part((event.clientX - box.left) / box.width), up = part((box.bottom - event.clientY) / box.height);
    const place = {};
    if (!y.locked) place[y.index] = y.low + up * (y.high - y.low);
    if (!x.locked) place[x.index] = x.low + across * (x.high - x.low);
    return place;
  };
  const follow = (event) => {
    panel.previewing = false;
    Object.assign(panel.z, at(event));
    moved(panel);
    placeCross(panel); // under the hand at once
  };
  panel.pad.onpointerdown = (event) => {
    panel.pad.setPointerCapture(event.pointerId);
    panel.holding = true;
    follow(event);
  };
  panel.pad.onpointermove = (event) => {
    if (panel.pad.hasPointerCapture(event.pointerId)) follow(event);
    else if (event.pointerType === 'mouse') preview(panel, at(event));
  };
  panel.pad.onpointerup = panel.pad.onpointercancel = () => commit(panel);
  panel.pad.onpointerleave = () => restore(panel);
  panel.pad.onkeydown = (event) => {
    const [x, y] = padDims(panel);
    const step = { ArrowRight: [x, 1], ArrowLeft: [x, -1], ArrowUp: [y, 1], ArrowDown: [y, -1] }[event.key];
    if (!step || step[0].locked) return;
    event.preventDefault();
    panel.holding = true;
    const [dim, sign] = step;
    const size = ((dim.high - dim.low) / 100) * (event.shiftKey ? 10 : 1);
    panel.z[dim.index] = stepped(dim, panel.z[dim.index], sign, size);
    moved(panel);
    commitSoon(panel);
  };
  panel.axisX.onchange = panel.axisY.onchange = () => {
    placeCross(panel);
    rest(panel);
  };
}
