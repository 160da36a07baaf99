"""For each page and both widths: the y at which the picture begins, what scrolls sideways, the longest sentence.

python -m tests.benchmarks.layout [PAGE ...], such as sliders or "uses?use=filling"
"""

from __future__ import annotations

import argparse

from tests.browser.app_server import chromium, running_app, watch
from tests.browser.layout import MAX_TOP, MAX_WORDS, PAGES, SCREENS, address_of, measure, open_at_rest, words


def report(address: str, page, screen: str, errors: list[str], spec: str) -> None:
    """Print what one page looks like on one screen. errors: of its console, which are cleared."""
    name, _, query = spec.partition("?")
    open_at_rest(page, address_of(address, name, query))
    top, sideways, longest = measure(page)
    late = "  LATE" if top is not None and top >= MAX_TOP[screen] else ""
    print(f"{screen:6} {spec:24} the picture begins at y = {top}{late}")
    long = "  LONG" if words(longest) > MAX_WORDS else ""
    print(f"       {words(longest)} words{long}: {longest}")
    for what, values in (("SIDEWAYS", sideways), ("CONSOLE", errors)):
        if values:
            print(f"       {what}: {'; '.join(dict.fromkeys(values))[:600]}")
    errors.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", default=PAGES, metavar="PAGE")
    args = parser.parse_args()
    with running_app() as address, chromium() as browser:
        for screen, settings in SCREENS.items():
            context = browser.new_context(**settings)
            page = context.new_page()
            errors = watch(page)
            for spec in args.pages:
                report(address, page, screen, errors, spec)
            context.close()


if __name__ == "__main__":
    main()
