// What the widget says.

// A refused picture leaves the one before in its place, and the sentence says so.
export function refuse({ find, props }, sentence) {
  find('.refusal').textContent = sentence && `${sentence} ${capitalised(props.caption)} stays in use.`;
  find('.status').textContent = '';
}

const capitalised = (text) => text[0].toUpperCase() + text.slice(1);

export const say = ({ find }, sentence) => (find('.status').textContent = sentence);
