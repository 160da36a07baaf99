"""The cases of a test of which CI runs some."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pytest

LONG = [pytest.mark.long]


def some_long(cases: Iterable[Any], kept: Collection[Any], marks: Sequence[pytest.MarkDecorator] = ()) -> list[Any]:
    """Return a test's cases, of which all but the kept ones are marked as long, and all by `marks`.

    A case is a value or a tuple of values.
    """
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=[*marks, *([] if case in kept else LONG)])
        for case in cases
    ]
