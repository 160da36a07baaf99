// The film of a training in a notebook cell, as anywidget mounts it. Its trait: props, those of widgets/training with the
// newest frame alone; Python sends them again with the frames that are asked for.
import { made } from '../host/elements.js';
import { mount } from '../widgets/training/training.js';
import { schemeOf } from './scheme.js';

export default { render };

function render({ model, el }) {
  const element = made('div');
  element.style.colorScheme = schemeOf(el);
  el.append(element);
  const widget = mount(element, model.get('props'), (event, value) => event === 'missing' && model.send({ kind: 'missing', after: value.after }));
  const update = () => widget.update(model.get('props'));
  const receive = (props) => widget.update(props);
  model.on('change:props', update);
  model.on('msg:custom', receive);
  return () => {
    model.off('change:props', update);
    model.off('msg:custom', receive);
    widget.destroy();
    element.remove();
  };
}
