// The link in the address bar and the tab's history. Shows nothing. Its props are those of
// pages/components/bridge/history.py. It emits "reconnected" with the link that another session should go on from.
import { createRoot } from '../../runtime/root.js';
import { createEntries } from './entries.js';

export function mount(element, props, emit) {
  createRoot(element, '<div></div>', '');
  const write = (window.latentSpaceHistory ??= createEntries(window, props.base));
  update(props);
  return { update, destroy() {} };

  function update(run) {
    const lost = write(run);
    if (lost) emit('reconnected', lost);
  }
}
