// Small elements that views share.

// made('p', { className: 'caption', textContent: '...' }, ...children)
export function made(tag, fields = {}, ...children) {
  const element = Object.assign(document.createElement(tag), fields);
  element.append(...children);
  return element;
}

export const button = (text, onclick, fields = {}) => made('button', { type: 'button', textContent: text, onclick, ...fields });

// Returns a labelled select. options: [value, text]. change(value) is called with the text of the value.
export function select(text, options, value, change) {
  const element = made('select', { onchange: () => change(element.value) }, ...options.map(([key, name]) => new Option(name, key, false, String(key) === String(value))));
  return made('label', {}, `${text} `, element);
}

// Returns a labelled range with its value behind it.
export function range(text, { min, max, step, value }, change, format = String) {
  const output = made('output', { textContent: format(value) });
  const input = made('input', {
    type: 'range', min, max, step, value,
    oninput: () => (output.textContent = format(Number(input.value))), onchange: () => change(Number(input.value)),
  });
  return made('label', { className: 'range' }, text, input, output);
}

// Returns the nodes of a link to the full app, whose address may be unknown.
export const appLink = ({ app }, text = 'the full app') => [app ? made('a', { href: app, textContent: text, rel: 'noopener' }) : text];

// Returns the sentence of what to try in a view.
export const sentenceOf = ({ sentence }, { model, data }) => (typeof sentence === 'string' ? sentence : sentence(model, data));

// Returns a group of buttons of which one is pressed. options: [value, text].
export function choices(name, options, value, change) {
  const press = (chosen) => buttons.forEach((one, i) => one.setAttribute('aria-pressed', options[i][0] === chosen));
  const buttons = options.map(([key, text]) => button(text, () => {
    press(key);
    change(key);
  }));
  press(value);
  const group = made('div', { className: 'choices', role: 'group' }, ...buttons);
  group.setAttribute('aria-label', name);
  return group;
}

// Returns a labelled check box.
export function toggle(text, checked, change) {
  const input = made('input', { type: 'checkbox', checked, onchange: () => change(input.checked) });
  return made('label', { className: 'toggle' }, input, ` ${text}`);
}
