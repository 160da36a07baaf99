// The link in the address bar and the tab's history. Shows and emits nothing. Its props are those of
// pages/components/bridge/history.py.
import { createRoot } from '../../runtime/root.js';
import { createEntries } from './entries.js';

export function mount(element, props) {
  createRoot(element, '<div></div>', '');
  const write = (window.latentSpaceHistory ??= createEntries(window, props.base));
  write(props);
  return { update: write, destroy() {} };
}
