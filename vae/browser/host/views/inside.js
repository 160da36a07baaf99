// The forward pass of a drawing, a test image or an own picture, and the terms of its ELBO.
import { toBase64 } from '../../runtime/base64.js';
import { mount as mountInside } from '../../widgets/inside/inside.js';
import { choices, made } from '../elements.js';
import { createImageInput } from '../image_input.js';

const SOURCES = [['Draw', 'Draw'], ['Choose or upload', 'Test image or photo']]; // [value in links, text]

export const view = {
  name: 'inside', title: 'Inside', sentence: 'Draw or choose an image, and follow it through the model.',
  terms: ['posterior', 'dimension', 'elbo', 'kl', 'nat', 'reconstruction', 'cross-entropy'],
  parts: {
    steps: '.steps', posterior: 'section[data-part=q]', reconstruction: 'section[data-part=x_hat]', kl: '.dims', ledger: '.terms table',
  },
  serves: (model) => (model.inside ? '' : 'its posterior is not one Gaussian per dimension'),
  show,
};

function show(element, host) {
  const { place } = host, source = made('div'), panel = made('div');
  element.append(
    choices('Image', SOURCES, sourceOf(host), (value) => host.set({ settings: { ...place.settings, inside_source: value } })),
    source, panel, made('p', { className: 'caption', textContent: captionOf(host) }),
  );
  let input = null;
  const props = () => {
    const isDrawing = sourceOf(host) === 'Draw';
    if (isDrawing) input = input?.destroy() ?? null;
    else if (input) input.update();
    else input = createImageInput(source, host, { key: 'inside_image', name: 'image', draws: false });
    return panelProps(host, input?.image() ?? null);
  };
  const widget = mountInside(panel, props(), (event, { z, y } = {}) => event === 'take' && host.set({ z, y }), host.mailbox);
  return {
    update: () => widget.update(props()),
    destroy() {
      input?.destroy();
      widget.destroy();
    },
  };
}

// Returns where the image comes from; at first the pen, where the data are light on dark as a line is on the panel.
function sourceOf({ data, place: { settings: { inside_source: asked } } }) {
  return SOURCES.find(([value]) => value === asked)?.[0] ?? SOURCES[data.preparation.light_on_dark ? 0 : 1][0];
}

// image: null for the drawing
function panelProps({ model, data, id, shape, place, content: { header }, dimName }, image) {
  return {
    model: model.name, weights: id, files: null, ...shape, z: place.z, seed: place.seed, drawing: !image, preparation: data.preparation,
    source: image?.source ?? 'drawing', x: image && toBase64(image.bytes), y: image && image.y, order: model.order,
    names: Array.from(place.z, (_, d) => dimName(d)), classes: model.classes, average: model.average, plane: model.plane, code: {},
    no_number: 'This model returns a value that is not a finite number for this image, so there is nothing to show.',
    ...header.inside,
  };
}

function captionOf({ model, data, decoder, content: { header: { inside: { white } } } }) {
  const prior = model.plane ? 'Dashed rings show p(z) at one and two standard deviations.' : 'The grey band shows one standard deviation of p(z).';
  const from = decoder.file.capabilities.is_cross_entropy ? '' : ', counted from the pixel with the smallest error';
  return `Your browser computes all values. The means are those of the test images of ${data.title}. ${prior} In the error image, white is ${white} nats per pixel or more${from}.`;
}
