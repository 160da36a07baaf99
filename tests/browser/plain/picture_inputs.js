// Picture inputs on a page of plain HTML, from the props in it. Keeps what they emit.
import { createMailbox } from '/runtime/mailbox.js';
import { mount } from '/widgets/picture_input/picture_input.js';

const mailbox = createMailbox(), emitted = [], handles = {};
Object.assign(window, { mailbox, emitted, handles, place }); // for the tests

function place(id, props) {
  const element = document.createElement('div');
  element.id = id;
  document.querySelector('main').append(element);
  handles[id] = mount(element, props, (event, value) => emitted.push([id, event, value]), mailbox);
}
for (const [id, props] of Object.entries(JSON.parse(document.getElementById('data').textContent))) place(id, props);
