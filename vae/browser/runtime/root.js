// The place that a widget fills.
import theme from './theme.css';

// Returns the element's shadow root with a widget's markup and styles. Neither the host's styles nor those of other
// widgets reach into it.
export function createRoot(element, html, css) {
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  root.innerHTML = `<style>${theme}${css}</style>${html}`;
  return root;
}
