"""Measures a page as a browser lays it out: where its picture begins, what scrolls sideways, its longest sentence."""

from __future__ import annotations

from typing import NamedTuple

from pages.components.shell.navigation import DEFAULT_PAGE, page_files

from .app_server import settle

PAGES = tuple(path.stem for path in page_files())
SCREENS = {  # name: settings of a browser context
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
ZOOMS = {  # the window of a page that is enlarged, in CSS px
    "200 %": {"viewport": {"width": 720, "height": 450}}, "400 %": {"viewport": {"width": 320, "height": 256}},
}  # fmt: skip
MAX_TOP = {"desk": 260, "phone": 300}  # y of the picture's upper edge
MAX_WORDS = 25  # of a sentence
MIN_PICTURE = 48  # px; smaller images are icons

# all elements below a root, those in open shadow roots too
ALL = """function all(root) {
  return [...root.querySelectorAll('*')].flatMap((e) => e.shadowRoot ? [e, ...all(e.shadowRoot)] : [e]);
}"""

PICTURE_TOP = f"""(least) => {{
  {ALL}
  const tops = all(document.querySelector('[data-testid=stMain]'))
    .filter((e) => e.matches('canvas, img, svg, video, .picture') && e.checkVisibility({{ visibilityProperty: true }}))
    .map((e) => e.getBoundingClientRect()).filter(({{ width, height }}) => Math.min(width, height) >= least)
    .map(({{ top }}) => Math.round(top + document.querySelector('[data-testid=stMain]').scrollTop));
  return tops.length ? Math.min(...tops) : null;
}}"""

# elements that reach beyond the window and that nothing clips or scrolls
SIDEWAYS = f"""() => {{
  {ALL}
  const width = document.documentElement.clientWidth;
  const parent = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host ?? null;
  const clipped = (e) => {{
    for (let p = parent(e); p && p.dataset?.testid !== 'stMain'; p = parent(p)) {{
      if (getComputedStyle(p).overflowX !== 'visible') return true;
    }}
    return false;
  }};
  const main = document.querySelector('[data-testid=stMain]');
  const found = all(main).filter((e) => e.checkVisibility() && e.getBoundingClientRect().width
    && e.getBoundingClientRect().right > width + 1 && !clipped(e));
  const wide = [document.documentElement, main].some((e) => e.scrollWidth > e.clientWidth + 1);
  return wide ? found.map((e) => `${{e.localName}}.${{[...e.classList].join('.')}}`) : [];
}}"""

# Controls that no scrolling brings to where they can be pressed: beyond the window, or below another element. Not
# Streamlit's link to the page's content, which it shows on focus alone, nor its tables, which an element covers.
UNREACHABLE = f"""() => {{
  {ALL}
  const parent = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host ?? null;
  const within = (e, other) => {{
    for (; e; e = parent(e)) if (e === other) return true;
    return false;
  }};
  const at = (x, y) => {{
    let e = document.elementFromPoint(x, y);
    for (let inner; (inner = e?.shadowRoot?.elementFromPoint(x, y)) && inner !== e;) e = inner;
    return e;
  }};
  const controls = all(document.body)
    .filter((e) => e.matches('a[href], button, input, select, textarea, summary, [tabindex="0"]') && e.tabIndex >= 0)
    .filter((e) => !e.matches('[data-testid=stSkipToContent], [data-testid=data-grid-canvas]'))
    .filter((e) => e.checkVisibility({{ opacityProperty: true, visibilityProperty: true }}));
  return controls.filter((e) => {{
    e.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }});
    const {{ left, top, width, height }} = (e.closest('label') ?? e).getBoundingClientRect();
    if (!width || !height) return false;
    const hit = at(left + width / 2, top + height / 2), whole = e.closest('label') ?? e;
    return !hit || !(within(hit, whole) || within(whole, hit));
  }}).map((e) => `${{e.outerHTML.slice(0, 120)}}`);
}}"""

# what a reader sees as one text: of the innermost elements that are not inline
TEXTS = f"""() => {{
  {ALL}
  const inline = (e) => /^(inline|contents)/.test(getComputedStyle(e).display);
  const texts = new Map();
  const visit = (node, block) => {{
    if (node.nodeType === Node.TEXT_NODE) texts.set(block, (texts.get(block) ?? '') + node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches('style, script, pre, svg, canvas, table')) return;
    if (!node.checkVisibility({{ visibilityProperty: true }}) && getComputedStyle(node).display !== 'contents') return;
    const own = inline(node) ? block : node;
    if (node.localName === 'br') texts.set(block, (texts.get(block) ?? '') + ' ');
    for (const child of (node.shadowRoot ?? node).childNodes) visit(child, own);
  }};
  const main = document.querySelector('[data-testid=stMain]');
  visit(main, main);
  return [...texts.values()].map((text) => text.replace(/\\s+/g, ' ').trim()).filter(Boolean);
}}"""


class Layout(NamedTuple):
    """What a page looks like on one screen."""

    top: int | None  # y at which the first picture begins; None for a page without pictures
    sideways: list[str]  # elements that make the page scroll sideways
    longest: str  # the sentence with most words


def address_of(address: str, name: str, query: str = "") -> str:
    """Return the address of a page, such as "sliders"."""
    return f"{address}/{'' if name == DEFAULT_PAGE else name}?{query}"


def open_at_rest(page, url: str) -> None:
    """Open a page and wait until it stands."""
    page.goto(url)
    page.wait_for_selector("h1", state="attached", timeout=60_000)  # a phone hides it during a lesson
    settle(page)


def sentences(text: str) -> list[str]:
    """Split a text at full stops, question and exclamation marks that a space follows."""
    marked = text
    for mark in ".!?":
        for end in ("", ")", "”", '"'):
            marked = marked.replace(f"{mark}{end} ", f"{mark}{end}\n")
    return marked.split("\n")


def words(sentence: str) -> int:
    """Return the number of words: what spaces separate and has a letter or a digit."""
    return sum(any(c.isalnum() for c in word) for word in sentence.split())


def measure(page) -> Layout:
    """Measure the page as it stands."""
    found = [sentence for text in page.evaluate(TEXTS) for sentence in sentences(text)]
    return Layout(
        page.evaluate(PICTURE_TOP, MIN_PICTURE), page.evaluate(SIDEWAYS), max(found, key=words, default="")
    )  # fmt: skip


def blocked(page) -> list[str]:
    """Return the elements that make the page scroll sideways, and the controls that cannot be reached."""
    return page.evaluate(SIDEWAYS) + page.evaluate(UNREACHABLE)
