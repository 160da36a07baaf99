"""The tooltips of the terms that glossary.explain marks."""

from .component import widget

_component = widget("term_tips")


def term_tips() -> None:
    """Let every marked term on the page show its definition. Call it once a run, where elements never move."""
    _component(key="term_tips", data={})
