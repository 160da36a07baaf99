// The plainest host: a page that mounts every widget from the data in it, and keeps what they emit.
import { createMailbox } from '/runtime/mailbox.js';
import { mount as mountAutoencoder } from '/widgets/autoencoder/autoencoder.js';
import { mount as mountBars } from '/widgets/bars/bars.js';
import { mount as mountBetas } from '/widgets/betas/betas.js';
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
  autoencoder: mountAutoencoder, bars: mountBars, betas: mountBetas, code_grid: mountCodeGrid, heat_map: mountHeatMap,
  inside: mountInside, live_panel: mountLivePanel, match: mountMatch, picture_grid: mountPictureGrid,
  picture_input: mountPictureInput, point_picture: mountPointPicture, scatter: mountScatter,
};
const channels = { scatter_points: receivePoints, scatter_sheet: receiveSheet };
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// parts: {id: {widget, props}}; messages: [channel, base64]
const { parts, messages } = JSON.parse(document.getElementById('data').textContent);
const mailbox = createMailbox();
const emitted = [];
window.emitted = emitted; // read by the test, as are the handles
window.handles = {};
window.mailbox = mailbox;

for (const [id, { widget, props }] of Object.entries(parts)) {
  const section = document.createElement('section'), heading = document.createElement('h2'), element = document.createElement('div');
  heading.textContent = element.id = id;
  section.append(heading, element);
  document.body.append(section);
  window.handles[id] = mounts[widget](element, props, (event, value) => emitted.push([id, event, value]), mailbox);
}
for (const [channel, base64] of messages) channels[channel](bytesOf(base64), mailbox);
