// Bookmarks in the browser's storage: named links to places of z, the newest first.
export const KEY = 'latent-space-explorer-bookmarks';
export const MAX_BOOKMARKS = 200;
export const MAX_NAME = 60; // characters

// Returns the kept [{ name, link }]; [] where storage is blocked or holds something else.
export function read(storage) {
  try {
    const kept = JSON.parse(storage().getItem(KEY));
    return Array.isArray(kept) ? kept.filter(isBookmark).slice(0, MAX_BOOKMARKS) : [];
  } catch {
    return [];
  }
}

// Adds a bookmark and returns all, or null where the browser keeps nothing. A bookmark of the same name is replaced.
export function add(storage, name, link) {
  const label = name.trim().slice(0, MAX_NAME);
  return write(storage, [{ name: label, link }, ...read(storage).filter((kept) => kept.name !== label)].slice(0, MAX_BOOKMARKS));
}

export function remove(storage, name) {
  return write(storage, read(storage).filter((kept) => kept.name !== name));
}

// Returns the address bar's link, relative to the app: "sliders?model=...". The model behind a stand-in stays out.
export function currentLink({ pathname, search }, base) {
  const parameters = search.slice(1).split('&').filter((parameter) => !/^(own|embed|embed_options)=/.test(parameter));
  return `${pathname.slice(base.length)}?${parameters.join('&')}`;
}

// Returns the bookmarks as text, a name and its address a line.
export const asList = (bookmarks, base) => bookmarks.map(({ name, link }) => `${name}\t${new URL(link, base).href}\n`).join('');

function write(storage, bookmarks) {
  try {
    storage().setItem(KEY, JSON.stringify(bookmarks));
    return bookmarks;
  } catch {
    return null;
  }
}

// A link is relative to the app, so that it opens nothing else.
const isBookmark = (kept) => typeof kept?.name === 'string' && typeof kept.link === 'string' && /^[a-z_]*\?/.test(kept.link);
