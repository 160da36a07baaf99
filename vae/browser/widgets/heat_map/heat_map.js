// A table with a button in each cell; a click sends the row-major index of the cell.
export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector('.heat');
  table.setAttribute('aria-label', data.name);
  const across = data.columns.length;
  const focused = [...table.querySelectorAll('button')].findIndex((b) => b.matches(':focus'));
  const head = row([element('td'), ...data.columns.map((text) => element('th', text, 'col'))]);
  const body = data.rows.map((name, r) =>
    row([element('th', name, 'row'), ...data.columns.map((_, c) => cell(r, c))])
  );
  table.replaceChildren(head, ...body);
  if (focused >= 0) table.querySelectorAll('button')[focused]?.focus(); // keep the keyboard focus

  function cell(r, c) {
    const chosen = r === data.selected[0] && c === data.selected[1];
    const button = element('button', data.texts[r][c]);
    button.type = 'button';
    button.style.background = data.colours[r][c];
    button.style.color = data.dark[r][c] ? '#111' : '#fff';
    button.className = chosen ? 'chosen' : '';
    button.tabIndex = chosen ? 0 : -1; // Tab stops once; arrow keys move between cells
    button.setAttribute('aria-label', `${data.rows[r]}, ${data.columns[c]}: ${data.texts[r][c]}`);
    if (chosen) button.setAttribute('aria-current', 'true');
    button.onclick = () => setTriggerValue('pick', r * across + c);
    button.onkeydown = (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [down, right] = [r + step[0], c + step[1]];
      if (down >= 0 && down < data.rows.length && right >= 0 && right < across) {
        table.querySelectorAll('button')[down * across + right].focus();
      }
    };
    const place = element('td');
    place.append(button);
    return place;
  }
}

function row(cells) {
  const made = element('tr');
  made.append(...cells);
  return made;
}

function element(tag, text = '', scope = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope) made.scope = scope;
  return made;
}
