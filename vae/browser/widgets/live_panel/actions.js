// Buttons for what the host computes: samples from the prior, and steps along the directions of attributes.

export function buildActions(panel) {
  const { model, levels, attributes } = panel.data;
  panel.root.querySelectorAll('.random').forEach((button) => button.remove());
  panel.root.querySelector('.buttons').append(...['', ...levels].map((level) => {
    const button = made(level ? `Sample ${level}` : 'Sample z', () => panel.emit('random', { model, level }));
    button.className = 'random';
    button.title = level ? 'sample this level from p(z); the other level keeps its values' : 'sample z from p(z)';
    return button;
  }));
  panel.root.querySelector('.attributes').replaceChildren(...attributes.flatMap((name) =>
    [['+', 1], ['−', -1]].map(([sign, step]) => made(`${sign} ${name}`, () => panel.emit('attribute', { model, name, sign: step })))
  ));
}

function made(text, onclick) {
  return Object.assign(document.createElement('button'), { type: 'button', textContent: text, onclick });
}
