"""What a learner has predicted and seen. The browser keeps it, and the session holds a copy; the server keeps nothing.

A step has a name such as "terms.2". Its prediction is the text of an answer.
"""

from __future__ import annotations

import streamlit as st

from vae.lessons import Lesson

from ..bridge import messages
from ..bridge.component import widget
from ..shell.parse import parse_flag, parse_object, parse_text
from .catalogue import lessons, parse_step

_component = widget("progress")
KEY = "lesson_progress"
MAX_ANSWER = 400  # characters


def steps() -> dict[str, dict]:
    """Return {step: {"prediction", "revealed"}} of this session."""
    return st.session_state.setdefault("lesson_steps", {})


def put(step: str, prediction: str, revealed: bool) -> None:
    """Note a prediction. One that has been revealed stays as it is."""
    if not is_revealed(step):
        steps()[step] = {"prediction": prediction, "revealed": revealed}


def prediction(step: str) -> str | None:
    """Return the prediction of a step; None where there is none, or none of its answers any more."""
    text = steps().get(step, {}).get("prediction")
    found = parse_step(step) if text is not None else None
    if found is None:
        return None
    return text if text in lessons()[0][found[0]].steps[found[1]].predict.answers else None


def is_revealed(step: str) -> bool:
    return prediction(step) is not None and steps()[step]["revealed"]


def set_linked(step: str, answer: str, revealed: bool) -> None:
    """Show a link's answer as long as the learner has none of his own."""
    st.session_state.lesson_linked = (step, answer, revealed)


def forget_linked() -> None:
    st.session_state.pop("lesson_linked", None)


def shown(step: str) -> tuple[str | None, bool]:
    """Return (the answer to show, whether it is revealed): the learner's own, or else the link's."""
    own = prediction(step)
    linked = st.session_state.get("lesson_linked")
    if own is None and linked and linked[0] == step:
        return linked[1:]
    return own, is_revealed(step)


def done(key: str, lesson: Lesson) -> int:
    """Return how many steps of a lesson have been revealed."""
    return sum(is_revealed(f"{key}.{number + 1}") for number in range(len(lesson.steps)))


def show(forgets: bool = False) -> None:
    """Exchange progress with the browser's storage. forgets: whether to show the button that empties it."""
    _component(
        key=KEY, data={"steps": steps(), "heard": st.session_state.get("lesson_heard", False), "forgets": forgets},
        on_kept_change=_take, on_forgot_change=_forget,
    )  # fmt: skip


def _take() -> None:
    """Take over all that the browser keeps as revealed, and of the rest what this session does not know."""
    st.session_state.lesson_heard = True
    kept = parse_object(messages.sent(KEY, "kept"))
    for key, lesson in lessons()[0].items():
        for number, step in enumerate(lesson.steps):
            name = f"{key}.{number + 1}"
            found = parse_object(kept.get(name)) if kept else None
            if found is None:
                continue
            text, revealed = parse_text(found.get("prediction"), MAX_ANSWER), parse_flag(found.get("revealed"))
            if text in step.predict.answers and (revealed or name not in steps()):
                steps()[name] = {"prediction": text, "revealed": revealed}


def _forget() -> None:
    """Remove what the session knows, as the browser has done."""
    steps().clear()
    forget_linked()
