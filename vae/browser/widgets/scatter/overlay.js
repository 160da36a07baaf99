// What lies over the map: the current z, its neighbours, paths, marks and the point under the pointer.
import { themeOf } from './colours.js';
import { isShown, markerPlace, toStage, toUnit } from './places.js';

export function drawOver(map) {
  const context = map.over.getContext('2d');
  context.setTransform(map.ratio, 0, 0, map.ratio, 0, 0);
  context.clearRect(0, 0, map.width, map.height);
  if (map.travelling) return;
  const { data, unit } = map;
  const current = markerPlace(map, data.current);
  for (const p of data.near.filter((index) => isShown(map, index))) {
    const place = toStage(map, unit[2 * p], unit[2 * p + 1]);
    outlined(context, 2, () => { context.moveTo(...current); context.lineTo(...place); });
    outlined(context, 2, () => context.arc(...place, 5, 0, 7));
  }
  if (data.path.length) {
    outlined(context, 3, () => data.path.forEach((own, i) => {
      context[i ? 'lineTo' : 'moveTo'](...toStage(map, ...toUnit(map, ...own)));
    }));
  }
  data.marks.forEach(({ place, name }) => {
    const [x, y] = markerPlace(map, place);
    outlined(context, 3, () => {
      for (const [dx, dy] of [[0, -10], [10, 0], [0, 10], [-10, 0], [0, -10]]) context.lineTo(x + dx, y + dy);
    });
    written(map, context, name, x, y - 20);
  });
  outlined(context, 3, () => context.arc(...current, 12, 0, 7));
  if (map.hover >= 0) {
    const theme = themeOf(map);
    const place = toStage(map, unit[2 * map.hover], unit[2 * map.hover + 1]);
    const reach = map.thumbs.some(({ p }) => p === map.hover) ? map.thumbSize * 0.72 : 8;
    outlined(context, 3, () => context.arc(...place, reach, 0, 7), theme.text, theme.ground);
  }
  const stops = map.stops.map((stop) => toStage(map, ...stop));
  for (const line of [map.line, stops]) {
    if (line.length > 1) outlined(context, 2.5, () => line.forEach((place, i) => context[i ? 'lineTo' : 'moveTo'](...place)));
  }
  stops.forEach((stop) => outlined(context, 2.5, () => context.arc(...stop, 4, 0, 7)));
}

// Strokes a path with a halo, so that it is visible on light and dark ground.
function outlined(context, width, draw, colour = '#d6006c', halo = '#fff') {
  for (const [style, extra] of [[halo, 3], [colour, 0]]) {
    context.beginPath();
    context.strokeStyle = style;
    context.lineWidth = width + extra;
    draw();
    context.stroke();
  }
}

function written(map, context, text, x, y) {
  const theme = themeOf(map);
  context.font = `600 13px ${theme.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = 4;
  context.strokeStyle = theme.ground;
  context.strokeText(text, x, y);
  context.fillStyle = theme.text;
  context.fillText(text, x, y);
}
