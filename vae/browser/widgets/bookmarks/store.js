// Bookmarks in the browser's storage: named links to places of z with their pictures, the newest first.
export const KEY = 'latent-space-explorer-bookmarks';
export const MAX_BOOKMARKS = 200;
export const MAX_NAME = 60; // characters
const MAX_LINK = 16_000; // characters
const MAX_PICTURE = 60_000; // characters of a picture's address
const MAX_SIDE = 512; // px of a picture; a small file could be an image that fills the memory
const PNG = 'data:image/png;base64,';

// Returns the kept [{ name, link, picture }]; [] where storage is blocked or holds something else.
export function read(storage) {
  try {
    return checked(JSON.parse(storage().getItem(KEY)));
  } catch {
    return [];
  }
}

// Returns the bookmarks of a value from anywhere. A picture that is no small PNG is left out.
export function checked(value) {
  const found = Array.isArray(value) ? value.filter(isBookmark).slice(0, MAX_BOOKMARKS) : [];
  return found.map(({ name, link, picture }) => ({ name: name.slice(0, MAX_NAME), link, ...(isPicture(picture) ? { picture } : {}) }));
}

// Adds a bookmark and returns all, or null where the browser keeps nothing. A bookmark of the same name is replaced. A link
// that is no link of the app, or a longer one than any page writes, adds nothing.
export function add(storage, name, link, picture = '') {
  const label = name.trim().slice(0, MAX_NAME);
  const [bookmark] = checked([{ name: label, link, picture }]);
  if (!bookmark) return read(storage);
  return write(storage, [bookmark, ...read(storage).filter((kept) => kept.name !== label)].slice(0, MAX_BOOKMARKS));
}

export function remove(storage, name) {
  return write(storage, read(storage).filter((kept) => kept.name !== name));
}

// Returns the address bar's link, relative to the app: "sliders?model=...". What concerns this visitor alone
// stays out: the model behind a stand-in, and his answer in a lesson.
export function currentLink({ pathname, search }, base) {
  const parameters = search.slice(1).split('&').filter((parameter) => !/^(own|answer|revealed|embed|embed_options)=/.test(parameter));
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
const isBookmark = (kept) => typeof kept?.name === 'string' && typeof kept.link === 'string' && kept.link.length <= MAX_LINK && /^[a-z_]*\?/.test(kept.link);

// Returns whether a text is the data of a PNG of a small size, which stands in the first bytes of the file.
function isPicture(text) {
  if (typeof text !== 'string' || text.length > MAX_PICTURE || !/^[A-Za-z0-9+/]{40,}=*$/.test(text.slice(PNG.length)) || !text.startsWith(PNG)) return false;
  const bytes = Uint8Array.from(atob(text.slice(PNG.length, PNG.length + 32)), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  const isHeader = view.getUint32(0) === 0x89504e47 && view.getUint32(12) === 0x49484452; // the file's, and of the chunk IHDR
  return isHeader && [16, 20].every((at) => view.getUint32(at) > 0 && view.getUint32(at) <= MAX_SIDE);
}
