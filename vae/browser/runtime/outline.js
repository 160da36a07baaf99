// What a lesson's question is about, outlined on a page.
const OUTLINE = '3px solid #3f90da';

// Returns the part of an element, or of a widget in it, that a selector names; null if there is none.
export function findPart(whole, selector) {
  const roots = [...whole.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);
  return [whole, ...roots].map((root) => root.querySelector(selector)).find(Boolean) ?? null;
}

// Returns a function that outlines an element, instead of the one before; null outlines none.
export function createOutline() {
  let outlined = null;
  return (part) => {
    if (part === outlined) return;
    outlined?.style.removeProperty('outline');
    outlined?.style.removeProperty('outline-offset');
    outlined = part;
    part?.style.setProperty('outline', OUTLINE);
    part?.style.setProperty('outline-offset', '3px');
  };
}
