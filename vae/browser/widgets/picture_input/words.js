// What the widget says.

// A refused picture leaves the one before in its place, and the sentence says so.
export function refuse({ find, props }, sentence) {
  find('.refusal').textContent = sentence && `${sentence} The ${props.name} is still ${props.caption}.`;
  find('.status').textContent = '';
}

export const say = ({ find }, sentence) => (find('.status').textContent = sentence);
