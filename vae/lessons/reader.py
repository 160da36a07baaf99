"""The reader of lesson files. A file with a mistake is left out; one sentence says which line is wrong and how."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeGuard, TypeVar

from . import lines
from .lesson import Lesson, Misconception, Plan, PlanPart, Prediction, Step, Try, Value, placeholders

FOLDER = Path(__file__).parent  # of the shipped lessons
PLANS = "plans.toml"  # the one file of a folder that is no lesson
KEY = re.compile("[a-z0-9-]{1,40}")  # a file's name; links contain it
MAX_BYTES = 64 * 1024
T = TypeVar("T")


class Setting(Protocol):
    """What the reader needs of a page's setting."""

    expected: str  # what a value must be, such as "a number from 0 to 2"

    def allows(self, value: object) -> bool: ...


Pages = Mapping[str, Mapping[str, Setting]]  # {page: {key: setting}}
Figures = Mapping[str, Collection[str]]  # {model: keys of the figures on its card}
Parts = Mapping[str, Collection[str]]  # {page: names of the parts that a step may look at}


class LessonError(ValueError):
    """A mistake in a lesson file; its message is one sentence with the file and the line."""


class _Mistake(Exception):
    """A mistake at a path of a file's fields."""

    def __init__(self, path: lines.Path, reason: str):
        super().__init__(reason)
        self.path, self.reason = path, reason


def read(
    folders: Iterable[Path] = (FOLDER,), pages: Pages | None = None, figures: Figures | None = None,
    parts: Parts | None = None,
) -> tuple[dict[str, Lesson], list[str]]:  # fmt: skip
    """Return ({key: lesson}, sorted by order; one sentence for each file that cannot be used).

    A lesson's key is the name of its file. Where two folders have a key, the first one's lesson is used.
    pages: the pages and settings that a step may name; None if any are allowed. figures: of all models, for the
    placeholders; None if any are allowed. A placeholder of a model that is not among them is no mistake of the lesson.
    parts: of pages, for look_at; None if any are allowed.
    """
    found: dict[str, Lesson] = {}
    files: dict[str, Path] = {}
    problems = []
    for path in (path for folder in folders for path in lesson_files(folder)):
        if path.stem in files:
            problems.append(f"{_shown(path)} has the name of {_shown(files[path.stem])}, which is used.")
            continue
        files[path.stem] = path
        try:
            found[path.stem] = read_lesson(path, pages, figures, parts)
        except LessonError as error:
            problems.append(str(error))
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0]))), problems


def lesson_files(folder: Path) -> list[Path]:
    """Return the files of a folder's lessons."""
    return [path for path in sorted(folder.glob("*.toml")) if path.name != PLANS]


def read_lesson(
    path: Path, pages: Pages | None = None, figures: Figures | None = None, parts: Parts | None = None
) -> Lesson:
    """Read one file; the arguments are those of `read`. Raises LessonError for the first mistake in it."""
    if not KEY.fullmatch(path.stem):
        raise LessonError(f"{_shown(path)}: a lesson file's name has lower-case letters, digits and hyphens only.")
    return _read(path, lambda parsed: _lesson(parsed, pages, figures, parts))


def read_plans(path: Path, lessons: Mapping[str, Lesson] | None = None) -> list[Plan]:
    """Read the plans of classes from a file; [] where there is none. Raises LessonError for the first mistake in it.

    lessons: those that a plan may name, by key; None if any are allowed.
    """
    return _read(path, lambda parsed: _plans(parsed, lessons)) if path.exists() else []


def _read(path: Path, make: Callable[[dict], T]) -> T:
    """Return what `make` makes of a file's tables. Raises LessonError, with the file and the line."""
    text = _text_of(path)
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LessonError(f"{_shown(path)}, {_syntax(str(error), text)}.") from None
    except RecursionError:
        raise LessonError(f"{_shown(path)} is nested too deeply.") from None
    try:
        return make(parsed)
    except _Mistake as mistake:
        line = lines.line_of(mistake.path, lines.field_lines(text))
        raise LessonError(f"{_shown(path)}, line {line}: {mistake.reason}.") from None


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise LessonError(f"{_shown(path)} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise LessonError(f"{_shown(path)} is larger than {MAX_BYTES // 1024} KB.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LessonError(f"{_shown(path)}, line {line}: the text is not UTF-8.") from None


def _shown(path: Path) -> str:
    """Return a file's path for a sentence: of a shipped lesson "vae/lessons/terms.toml"."""
    try:
        return path.relative_to(FOLDER.parents[1]).as_posix()
    except ValueError:
        return str(path)


def _syntax(message: str, text: str) -> str:
    """Return "line 3: the TOML is invalid (...)" for tomllib's message, which ends with a position."""
    reason, _, position = message.rpartition(" (at ")
    number = re.match(r"line (\d+)", position)
    line = number[1] if number else str(text.rstrip().count("\n") + 1)  # "end of document"
    return f"line {line}: the TOML is invalid ({reason[:1].lower()}{reason[1:]})"


# ---- the fields


class _Table:
    """A table of a file. Its fields are checked as they are read. what: its name in sentences."""

    def __init__(
        self, values: object, path: lines.Path, what: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ):
        if not isinstance(values, dict):
            raise _Mistake(path, f"{what} must be a table")
        self.values, self.path, self.what = values, path, what
        allowed = (*required, *optional)
        for name in values:
            if name not in allowed:
                reason = f"unknown field {name!r} of {what}; allowed are {', '.join(allowed)}"
                raise _Mistake((*path, name), reason)
        for name in required:
            if name not in values:
                raise _Mistake(path, f"{what} lacks the field {name!r}")

    def wrong(self, name: str, reason: str) -> _Mistake:
        return _Mistake((*self.path, name), reason)

    def has(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        value = self.values[name]
        if not (isinstance(value, str) and value.strip()):
            raise self.wrong(name, f"{name!r} of {self.what} must be a text that is not empty")
        return value

    def integer(self, name: str, low: int, high: int = 2**31 - 1) -> int:
        value = self.values[name]
        if not (type(value) is int and low <= value <= high):
            raise self.wrong(name, f"{name!r} of {self.what} must be a whole number from {low} to {high}")
        return value

    def flag(self, name: str) -> bool:
        value = self.values[name]
        if not isinstance(value, bool):
            raise self.wrong(name, f"{name!r} of {self.what} must be true or false")
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        values = self.values[name]
        if not (isinstance(values, list) and values and all(map(_is_number, values))):
            raise self.wrong(name, f"{name!r} of {self.what} must be a list of finite numbers")
        return tuple(values)

    def texts(self, name: str, at_least: int) -> tuple[str, ...]:
        """Return a list of distinct texts."""
        values = self.values[name]
        usable = isinstance(values, list) and all(isinstance(value, str) and value.strip() for value in values)
        if not usable or len(values) < at_least:
            raise self.wrong(name, f"{name!r} of {self.what} must be a list of texts, {at_least} or more")
        if twice := [value for index, value in enumerate(values) if value in values[:index]]:
            raise self.wrong(name, f"{name!r} of {self.what} has {twice[0]!r} twice")
        return tuple(values)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _lesson(parsed: dict, pages: Pages | None, figures: Figures | None, parts: Parts | None) -> Lesson:
    table = _Table(parsed, (), "a lesson", ("title", "about", "order", "minutes", "aims", "prior", "step"))
    steps: list[Step] = []
    for index, values in enumerate(_tables(table, "step")):
        step = _step(values, ("step", index), pages, figures, parts)
        for other, earlier in enumerate(steps):
            if (step.predict, step.try_) == (earlier.predict, earlier.try_):
                raise _Mistake(("step", index), f"step {index + 1} repeats step {other + 1}")
        steps.append(step)
    return Lesson(
        table.text("title"), table.text("about"), table.integer("order", 0), table.integer("minutes", 1, 600),
        tuple(steps), table.texts("aims", 1), table.text("prior"),
    )  # fmt: skip


def _tables(table: _Table, name: str) -> list:
    values = table.values[name]
    if not (isinstance(values, list) and values):
        raise table.wrong(name, f"{table.what} has one table [[{name}]] or more")
    return values


def _step(
    values: object, path: lines.Path, pages: Pages | None, figures: Figures | None, parts: Parts | None
) -> Step:
    table = _Table(values, path, "a step", ("predict", "try", "reveal"), ("why", "source", "check"))
    reveal, why, source = (table.text(name) if table.has(name) else "" for name in ("reveal", "why", "source"))
    for name, text in (("reveal", reveal), ("why", why)):
        _check_placeholders(table, name, text, figures)
    return Step(
        _prediction(table.values["predict"], (*path, "predict")),
        _try(table.values["try"], (*path, "try"), pages, parts),
        reveal, why, source, table.texts("check", 1) if table.has("check") else (),
    )  # fmt: skip


def _prediction(values: object, path: lines.Path) -> Prediction:
    table = _Table(values, path, "'predict'", ("question", "answers", "correct", "misconceptions"))
    question, answers, correct = table.text("question"), table.texts("answers", 2), table.text("correct")
    if correct not in answers:
        raise table.wrong("correct", "'correct' must be one of 'answers', word for word")
    return Prediction(question, answers, correct, _misconceptions(table, answers, correct))


def _misconceptions(table: _Table, answers: tuple[str, ...], correct: str) -> tuple[Misconception, ...]:
    """Return what lies behind the wrong answers of a question, each once."""
    found: dict[str, Misconception] = {}
    path = (*table.path, "misconceptions")
    if not isinstance(table.values["misconceptions"], list):
        raise _Mistake(path, "'misconceptions' must be a list of tables")
    for index, values in enumerate(table.values["misconceptions"]):
        one = _Table(values, (*path, index), "a misconception", ("answer", "belief", "source"))
        answer = one.text("answer")
        if answer not in answers or answer == correct:
            raise one.wrong("answer", "'answer' of a misconception must be a wrong answer, word for word")
        if answer in found:
            raise one.wrong("answer", f"two misconceptions have the answer {answer!r}")
        found[answer] = Misconception(answer, one.text("belief"), one.text("source"))
    if missing := [answer for answer in answers if answer != correct and answer not in found]:
        raise _Mistake(path, f"'misconceptions' lacks the wrong answer {missing[0]!r}")
    return tuple(found.values())


def _try(values: object, path: lines.Path, pages: Pages | None, parts: Parts | None) -> Try:
    optional = ("z", "seed", "y", "settings", "app_only", "look_at")
    table = _Table(values, path, "'try'", ("text", "page", "model"), optional)
    page = table.text("page")
    if pages is not None and page not in pages:
        raise table.wrong("page", f"unknown page {page!r}; there are {', '.join(sorted(pages))}")
    z = table.numbers("z") if table.has("z") else None
    seed, y = (table.integer(name, 0) if table.has(name) else None for name in ("seed", "y"))
    settings = _settings(table.values.get("settings", {}), (*path, "settings"), page, pages)
    app_only = table.has("app_only") and table.flag("app_only")
    look_at = table.text("look_at") if table.has("look_at") else ""
    if look_at and parts is not None and look_at not in parts.get(page, ()):
        known = f"it has {', '.join(parts[page])}" if parts.get(page) else "it has none"
        raise table.wrong("look_at", f"unknown part {look_at!r} of the page {page!r}; {known}")
    return Try(table.text("text"), page, table.text("model"), z, seed, y, settings, app_only, look_at)


def _settings(values: object, path: lines.Path, page: str, pages: Pages | None) -> dict[str, Value]:
    if not isinstance(values, dict):
        raise _Mistake(path, "'settings' must be a table")
    settings: dict[str, Value] = {}
    for name, value in values.items():
        settings[name] = _setting(value, (*path, name), name)
        if pages is None:
            continue
        if name not in pages[page]:
            known = f"it has {', '.join(pages[page])}" if pages[page] else "it has none"
            raise _Mistake((*path, name), f"unknown setting {name!r} of the page {page!r}; {known}")
        if not pages[page][name].allows(settings[name]):
            raise _Mistake((*path, name), f"the setting {name!r} must be {pages[page][name].expected}")
    return settings


def _setting(value: object, path: lines.Path, name: str) -> Value:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, bool | str) or _is_number(value):
        return value
    raise _Mistake(path, f"the setting {name!r} must be a text, a number, true, false or a list of models")


def _check_placeholders(table: _Table, name: str, text: str, figures: Figures | None) -> None:
    try:
        found = list(placeholders(text))
    except ValueError as error:
        raise table.wrong(name, f"{name!r} cannot be filled in: {error}") from None
    for model, figure in found:
        if figures and model in figures and not any(figure in keys for keys in figures.values()):
            reason = f"{name!r} has the placeholder {{{model}[{figure}]}}, and no card has a figure {figure!r}"
            raise table.wrong(name, reason)


# ---- plans


def _plans(parsed: dict, lessons: Mapping[str, Lesson] | None) -> list[Plan]:
    table = _Table(parsed, (), "a file of plans", ("plan",))
    return [_plan(values, ("plan", index), lessons) for index, values in enumerate(_tables(table, "plan"))]


def _plan(values: object, path: lines.Path, lessons: Mapping[str, Lesson] | None) -> Plan:
    table = _Table(values, path, "a plan", ("title", "minutes", "part"))
    parts = [_part(one, (*path, "part", index), lessons) for index, one in enumerate(_tables(table, "part"))]
    minutes = table.integer("minutes", 1, 600)
    if (total := sum(part.minutes for part in parts)) != minutes:
        raise table.wrong("minutes", f"the parts of this plan take {total} minutes, and not {minutes}")
    return Plan(table.text("title"), minutes, tuple(parts))


def _part(values: object, path: lines.Path, lessons: Mapping[str, Lesson] | None) -> PlanPart:
    table = _Table(values, path, "a part of a plan", ("minutes", "text"), ("lesson", "steps"))
    key = table.text("lesson") if table.has("lesson") else ""
    if key and lessons is not None and key not in lessons:
        raise table.wrong("lesson", f"unknown lesson {key!r}; there are {', '.join(lessons)}")
    steps = table.values.get("steps", [])
    last = len(lessons[key].steps) if lessons is not None and key else 99
    if not (isinstance(steps, list) and all(type(step) is int and 1 <= step <= last for step in steps)):
        raise table.wrong("steps", f"'steps' of a part must be a list of whole numbers from 1 to {last}")
    return PlanPart(table.integer("minutes", 1, 600), table.text("text"), key, tuple(steps))
