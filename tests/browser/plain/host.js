// The plainest host: a page that mounts every widget from the data in it, and keeps what they emit.
import { announce, createMailbox, readMessage } from '/runtime/mailbox.js';
import { mount as mountCodeGrid } from '/widgets/code_grid/code_grid.js';
import { mount as mountHeatMap } from '/widgets/heat_map/heat_map.js';
import { mount as mountInside } from '/widgets/inside/inside.js';
import { mount as mountLivePanel } from '/widgets/live_panel/live_panel.js';
import { mount as mountMatch } from '/widgets/match/match.js';
import { mount as mountPictureGrid } from '/widgets/picture_grid/picture_grid.js';
import { mount as mountPictureInput } from '/widgets/picture_input/picture_input.js';
import { mount as mountPointPicture } from '/widgets/point_picture/point_picture.js';
import { receive as receivePoints } from '/widgets/scatter/points_channel.js';
import { mount as mountScatter } from '/widgets/scatter/scatter.js';
import { receive as receiveSheet } from '/widgets/scatter/sheet_channel.js';

const mounts = {
  code_grid: mountCodeGrid, heat_map: mountHeatMap, inside: mountInside, live_panel: mountLivePanel, match: mountMatch,
  picture_grid: mountPictureGrid, picture_input: mountPictureInput, point_picture: mountPointPicture, scatter: mountScatter,
};
const channels = { scatter_points: receivePoints, scatter_sheet: receiveSheet };
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// parts: {id: {widget, props}}; messages: [channel, base64]; answers: messages in base64 for the widget inside, in the
// order of its questions, the last one for all that follow
const { parts, messages, answers } = JSON.parse(document.getElementById('data').textContent);
const mailbox = createMailbox();
const emitted = [];
window.emitted = emitted; // read by the test, as are the handles
window.handles = {};

function answer(question) {
  const { header, payload } = readMessage(bytesOf(answers.length > 1 ? answers.shift() : answers[0]));
  const { panel, seq } = question;
  setTimeout(() => announce(mailbox, 'answer', { ...header, panel, seq, pixels: payload }));
}

for (const [id, { widget, props }] of Object.entries(parts)) {
  const section = document.createElement('section'), heading = document.createElement('h2'), element = document.createElement('div');
  heading.textContent = element.id = id;
  section.append(heading, element);
  document.body.append(section);
  window.handles[id] = mounts[widget](element, props, (event, value) => {
    emitted.push([id, event, value]);
    if (id === 'inside' && event === 'ask') answer(value);
  }, mailbox);
}
for (const [channel, base64] of messages) channels[channel](bytesOf(base64), mailbox);
