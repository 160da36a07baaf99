// The visitor's own pictures, kept by the browser tab: they outlive pages, models and a reload, and are never sent.

export const MAX_PICTURES = 6;
export const MAX_LENGTH = 4 * 2 ** 20; // characters of all pictures
const INDEX = 'latent-space-explorer.pictures', CONTENT = 'latent-space-explorer.picture.';

// storage: the tab's sessionStorage, or whatever has its four functions.
// A picture is { id, name, kind: "strokes" or "file", content, settings }: content is the strokes, or the picture as a
// JPEG in a data URI; settings are the visitor's choices. uses: which picture each place of the app uses.
export function createMemory(storage = tabStorage()) {
  return {
    // Returns the pictures without their content, the latest first.
    list: () => read(storage).pictures,

    find(id) {
      const picture = read(storage).pictures.find((one) => one.id === id);
      const content = picture && parse(storage.getItem(CONTENT + id));
      return picture && IS_CONTENT[picture.kind](content) ? { ...picture, content } : null;
    },

    // Keeps a picture as the latest, without those that are then too many. Returns whether there was room for it.
    keep({ content, ...picture }) {
      const text = JSON.stringify(content);
      const others = read(storage).pictures.filter(({ id }) => id !== picture.id);
      for (let n = Math.min(others.length, MAX_PICTURES - 1); n >= 0; n--) {
        const kept = [{ ...picture, length: text.length }, ...others.slice(0, n)];
        if (lengthOf(kept) <= MAX_LENGTH && store(storage, kept, picture.id, text)) return true;
      }
      drop(storage, picture.id);
      return false;
    },

    // Keeps the settings of a picture whose content is kept.
    set(id, settings) {
      change(storage, (index) => index.pictures.forEach((one) => one.id === id && (one.settings = settings)));
    },

    // use: { id, data, settings } of the place `key`: the picture, the data set that it was prepared for, the choices.
    used: (key) => read(storage).uses[key] ?? null,
    use: (key, use) => change(storage, ({ uses }) => (uses[key] = use)),
    leave: (key) => read(storage).uses[key] && change(storage, ({ uses }) => delete uses[key]),

    clear() {
      read(storage).pictures.forEach(({ id }) => storage.removeItem(CONTENT + id));
      storage.removeItem(INDEX);
    },
  };
}

const lengthOf = (pictures) => pictures.reduce((sum, { length }) => sum + length, 0);

function store(storage, pictures, id, text) {
  const { pictures: before } = read(storage);
  for (const one of before) {
    if (!pictures.some((kept) => kept.id === one.id)) storage.removeItem(CONTENT + one.id);
  }
  try {
    storage.setItem(CONTENT + id, text);
  } catch { // the quota, which other pages of this address share
    return false;
  }
  return change(storage, (index) => (index.pictures = pictures));
}

function drop(storage, id) {
  storage.removeItem(CONTENT + id);
  change(storage, (index) => (index.pictures = index.pictures.filter((one) => one.id !== id)));
}

function change(storage, edit) {
  const index = read(storage);
  edit(index);
  try {
    storage.setItem(INDEX, JSON.stringify(index));
    return true;
  } catch {
    return false;
  }
}

// What stands in the storage may be damaged, or of another version.
function read(storage) {
  const index = parse(storage.getItem(INDEX)), { pictures, uses } = index ?? {};
  return {
    pictures: Array.isArray(pictures) ? pictures.filter((one) => isUse(one) && Object.hasOwn(IS_CONTENT, one.kind)) : [],
    uses: Object.fromEntries(Object.entries(uses ?? {}).filter(([, use]) => isUse(use))),
  };
}

const isNumber = Number.isFinite;
const isPoint = (point) => Array.isArray(point) && point.length === 2 && point.every(isNumber);
const isStroke = (stroke) => isNumber(stroke?.width) && Array.isArray(stroke.points) && stroke.points.length > 0 && stroke.points.every(isPoint);
const isFrame = (frame) => [frame.x, frame.y, frame.width, frame.height, frame.angle].every(isNumber) && Math.min(frame.width, frame.height) > 0;
const isUse = (use) => typeof use?.id === 'string' && use.settings instanceof Object && (!use.settings.frame || isFrame(use.settings.frame));
const IS_CONTENT = {
  strokes: (content) => Array.isArray(content) && content.every(isStroke),
  file: (content) => /^data:image\/jpeg;base64,[A-Za-z0-9+/]+=*$/.test(content),
};

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// A browser that blocks cookies in a frame of another site has no storage: pictures then last until a reload.
const values = new Map();
const untilReload = {
  getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value), removeItem: (key) => values.delete(key),
};

function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return untilReload;
  }
}
