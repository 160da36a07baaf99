// Widgets and channels as Streamlit components: a component's default export runs again at every change of its data,
// while parentElement persists.
import { createMailbox } from '/runtime/mailbox.js';

// of runtime/theme.css; Streamlit has the same names, with a prefix
const THEME = ['text-color', 'background-color', 'secondary-background-color', 'border-color', 'primary-color', 'font', 'base-radius'];
const HEADER_HEIGHT = '3.5rem'; // of Streamlit's header, which stays at the top of the window
const ANSWER = 2000; // ms

// The mailbox of the browser tab: each component is a module of its own, and they share what Python has sent.
const mailbox = () => (window.latentSpaceExplorer ??= createMailbox());

// Returns the default export of a widget's component. name: the widget's, by which an early panel knows its successor.
export function widget(mount, name) {
  return (component) => {
    const { parentElement } = component;
    const data = JSON.parse(component.data.props);
    const host = (parentElement.host ??= {});
    host.component = { ...component, data };
    if (host.widget) {
      host.widget.update(data);
      host.updated?.();
      return leave;
    }
    const element = place(parentElement);
    host.widget = mount(element, data, (event, value) => {
      emit(host.component, event, value);
      const { early } = mailbox();
      if (event === 'painted' && early && early.widget === name) early.takeOver(successor(host, element));
    }, mailbox());
    return leave;

    // Streamlit also calls this for a run that a newer one has overtaken
    function leave() {
      if (!parentElement.isConnected) host.widget.destroy();
    }
  };
}

// What an early panel needs of the one that takes over. answered(): calls back after the next update, at most ANSWER later.
function successor(host, element) {
  return {
    element,
    emit: (event, value) => emit(host.component, event, value),
    answered(then) {
      const once = () => {
        clearTimeout(timer);
        host.updated = null;
        then();
      };
      const timer = setTimeout(once, ANSWER);
      host.updated = once;
    },
  };
}

// Returns the default export of a channel's component, which passes bytes on and confirms the name of what they hold.
export function channel(receive) {
  return ({ data, setStateValue }) => {
    if (!data?.length) return;
    const name = receive(data, mailbox());
    if (name !== undefined) setStateValue('received', name);
  };
}

function place(parentElement) {
  const element = document.createElement('div');
  for (const name of THEME) element.style.setProperty(`--${name}`, `var(--st-${name})`);
  element.style.setProperty('--header-height', HEADER_HEIGHT);
  parentElement.append(element);
  return element;
}

// A question stays the component's state until the next one; any other event is gone after one run. The server
// waits for the news that the first picture is painted: a run would come too late.
function emit({ data, setStateValue, setTriggerValue }, event, value) {
  if (event === 'painted') data.painted && fetch(data.painted, { method: 'POST', keepalive: true });
  else if (event === 'ask') setStateValue(event, value);
  else setTriggerValue(event, value);
}
