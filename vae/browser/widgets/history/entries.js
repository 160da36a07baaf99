// The history entries of one browser tab. An entry is a page with a model and a step of a lesson; all else in the link
// changes within the entry.
const TIMEOUT = 10_000; // milliseconds after which an entry no longer waits for the run that restores it

// Returns write(run), which puts a run's link into the address bar. It returns "", or the link that the tab had, where the
// run is the first of another session: a server that has started again knows only the query with which the tab was opened.
// base: the path of the app, with a slash at its end.
//
// Streamlit pushes an entry when the page changes, and changes an entry whenever the server changes the query. Only the
// first is let through; write() fills it in. When Back or Forward reaches an entry, Streamlit reruns its page with its
// query; until the link of that run arrives, nothing is written.
export function createEntries(window, base) {
  const { history, location } = window;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  const page = () => location.pathname.slice(base.length).replace(/\/$/, '');
  const address = () => location.pathname + location.search;
  let restoring, served, isFirst = true;

  history.pushState = (state, title, url) => {
    if (!restoring && new URL(url, location.href).pathname !== location.pathname) push(state, title, url);
  };
  history.replaceState = () => {};
  window.addEventListener('popstate', () => {
    restoring = { page: page(), query: normal(location.search), since: Date.now() };
  });

  // page, query: of the run. entry: its model and step. restored: the query of the last entry that the server restored.
  // session: an id of the session on the server.
  return ({ page: shown, query, entry, restored, session }) => {
    const isLost = served !== undefined && served !== session && page() === shown && normal(query) !== normal(location.search);
    served = session;
    if (isLost) return location.search;
    const answered = restoring?.page === shown && restoring.query === normal(restored);
    if (restoring && !answered && Date.now() - restoring.since < TIMEOUT) return ''; // of a run before
    if (page() !== shown) return '';
    restoring = undefined;
    const embed = parameters(location.search).filter(isEmbedding);
    const wanted = `${base}${shown}?${[query, ...embed].join('&')}`;
    const isNew = !isFirst && !answered && ![undefined, entry].includes(history.state?.entry);
    if (isNew) push({ entry }, '', wanted);
    else if (history.state?.entry !== entry || address() !== wanted) replace({ entry }, '', wanted + location.hash);
    isFirst = false;
    return '';
  };
}

const parameters = (query) => query.replace(/^\?/, '').split('&');
const isEmbedding = (parameter) => /^embed(_options)?=/.test(parameter);

// Returns a query without embedding parameters, each character encoded in one way.
function normal(query) {
  return new URLSearchParams(parameters(query).filter((parameter) => !isEmbedding(parameter)).join('&')).toString();
}
