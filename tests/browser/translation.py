"""A browser that translates a page, as Chromium and Safari do it."""

from __future__ import annotations

# Every text node is replaced by a copy in two nested elements, now and whenever the page changes. The page's own node
# is detached, so that React's later updates and removals of it miss.
TRANSLATE = """() => {
  const skipped = new Set(['SCRIPT', 'STYLE', 'TEXTAREA', 'NOSCRIPT', 'FONT']);
  const roots = new WeakSet();
  const watch = (root) => {
    if (roots.has(root)) return;
    roots.add(root);
    new MutationObserver(() => translate(root)).observe(root, { childList: true, characterData: true, subtree: true });
    translate(root);
  };
  const translate = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT), found = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.shadowRoot) watch(node.shadowRoot);
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim() || skipped.has(node.parentNode.nodeName)) continue;
      if (!(node.parentNode instanceof SVGElement) && !(node.parentNode instanceof MathMLElement)) found.push(node);
    }
    for (const node of found) {
      const outer = document.createElement('font');
      outer.append(document.createElement('font'));
      outer.firstChild.textContent = node.data;
      node.replaceWith(outer);
    }
  };
  watch(document.body);
}"""


def translate(page) -> None:
    """Translate what the page shows, and from now on whatever it comes to show."""
    page.evaluate(TRANSLATE)
