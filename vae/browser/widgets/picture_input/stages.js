// The steps from the picture to what the model sees, and the choice among several things that were found.

// picture: { width, height, data }, RGBA. Small pictures are enlarged without smoothing.
export function paint(canvas, { width, height, data }) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  canvas.classList.toggle('crisp', height < 64);
  canvas.getContext('2d').putImageData(new ImageData(data, width, height), 0, 0);
}

// values: C * H * W, channel first, times scale 0 to 255.
export function pictureOf(values, [channels, height, width], scale) {
  const data = new Uint8ClampedArray(4 * height * width).fill(255), plane = height * width;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = values[(channels > 1 ? c : 0) * plane + i] * scale;
  }
  return { width, height, data };
}

// stages: [{ title, picture }]
export function showStages(list, stages) {
  if (list.children.length !== stages.length) {
    list.replaceChildren(...stages.map(() => {
      const figure = document.createElement('figure');
      figure.append(Object.assign(document.createElement('canvas'), { role: 'img' }), document.createElement('figcaption'));
      return figure;
    }));
  }
  stages.forEach(({ title, picture }, i) => {
    const [canvas, caption] = list.children[i].children;
    paint(canvas, picture);
    canvas.setAttribute('aria-label', title);
    caption.textContent = title;
  });
}

// candidates: [{ x }], of which one is chosen. choose(index)
export function showCandidates(list, candidates, chosen, shape, choose) {
  if (list.children.length !== candidates.length) list.replaceChildren(...candidates.map((_, i) => candidateButton(i, candidates.length)));
  candidates.forEach(({ x }, i) => {
    const button = list.children[i];
    paint(button.firstChild, pictureOf(x, shape, 255));
    button.setAttribute('aria-pressed', i === chosen);
    button.onclick = () => choose(i);
  });
}

function candidateButton(i, n) {
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'candidate' });
  button.setAttribute('aria-label', `${i + 1} of ${n}`);
  button.append(document.createElement('canvas'));
  return button;
}
