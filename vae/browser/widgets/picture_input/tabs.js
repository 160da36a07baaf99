// The sources of an image, one tab each. A host that has a pad of its own leaves out the tab Draw.
import { loadModel } from '../../runtime/load_model.js';

export function setUpTabs(input) {
  const tabs = [...input.root.querySelectorAll('[role=tab]')];
  const step = { ArrowRight: 1, ArrowLeft: -1 };
  tabs.forEach((tab) => {
    tab.onclick = () => showTab(input, tab.dataset.tab);
    tab.onkeydown = ({ key }) => {
      if (!step[key]) return;
      const shown = tabs.filter(({ hidden }) => !hidden);
      const next = shown[(shown.indexOf(tab) + step[key] + shown.length) % shown.length];
      showTab(input, next.dataset.tab);
      next.focus();
    };
  });
}

export function showTab(input, name) {
  const { root, own, props } = input;
  if (name !== 'file') input.camera.close();
  input.tab = name;
  root.querySelectorAll('[role=tab]').forEach((tab) => {
    tab.setAttribute('aria-selected', tab.dataset.tab === name);
    tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    tab.hidden = tab.dataset.tab === 'draw' && name !== 'draw' && !props.draws; // a drawing from elsewhere can be changed
  });
  root.querySelectorAll('[role=tabpanel]').forEach((panel) => (panel.hidden = panel.dataset.tab !== name));
  if (name === 'yours') input.kept.show();
  if (name !== 'test') fetchEncoder(input);
  const inSight = name === 'draw' ? own.strokes : name === 'file' ? own.file : null;
  if (inSight) input.result.show(inSight);
  else input.result.hide();
}

// A picture of the visitor's can then be encoded here.
export function fetchEncoder({ mailbox, props: { weights, files } }) {
  if (weights) loadModel(mailbox, weights, files);
}
