"""What a teacher prints: a sheet with a lesson's questions, and a page with its answers and plans. One page each."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from vae.lessons import MAX_SHUFFLE, Lesson, Plan, fill_figures

from ..bridge.component import widget
from ..shell import cached
from .catalogue import lessons, plans
from .listing import open_view
from .panel import begin_step
from .text import to_html

_print = widget("print")
ROOM, MIN_ROOM = {3: 4.2, 4: 3.2, 5: 1.9}, 1.2  # em in which to write a line, by the number of questions


def show_sheet(key: str, seed: int) -> None:
    """Show a lesson's questions with room to predict, and no answers. seed: of the order of answers."""
    lesson = lessons()[0][key]
    _show_tools(key, other=("For teachers", "teacher"))
    questions = "".join(_question(lesson, number, seed) for number in range(len(lesson.steps)))
    room = ROOM.get(max(len(lesson.steps), min(ROOM)), MIN_ROOM)
    _show_paper("sheet", f"""<header><h1>{to_html(lesson.title)}</h1><p>{to_html(lesson.about)}</p></header>
<p>Mark your prediction and note why. Then try each step in the app and write down the result.</p>
<ol style="--room: {room}em">{questions}</ol>{_foot(key, seed)}""")


def _question(lesson: Lesson, number: int, seed: int) -> str:
    answers = "".join(f"<li>☐ {to_html(answer)}</li>" for answer in lesson.answers(number, seed))
    question = to_html(lesson.steps[number].predict.question)
    return f"""<li><p class="question">{question}</p><ul>{answers}</ul>
<p class="line">I predict this because</p><p class="line">Result</p></li>"""


def _foot(key: str, seed: int) -> str:
    order = f", order of answers {seed}" if seed else ""
    return f'<footer>Latent-space explorer, lesson <em>{html.escape(key)}</em>{order}</footer>'


def show_teacher(key: str, seed: int) -> None:
    """Show the teacher's page of a lesson: aims, questions, what they reveal, and plans. key: "" for plans alone."""
    found, problem = plans()
    if problem:
        st.warning(problem)
    if not key:
        _show_tools("")
        if found:
            _show_paper("teacher", "<header><h1>Plans</h1></header>" + "".join(map(_plan, found)))
        elif not problem:
            st.info("There are no plans.")
        return
    lesson = lessons()[0][key]
    _show_tools(key, other=("Sheet to print", "sheet"))
    aims = "".join(f"<li>{to_html(aim)}</li>" for aim in lesson.aims)
    steps = "".join(_answers(lesson, number, seed) for number in range(len(lesson.steps)))
    used = [plan for plan in found if any(part.lesson == key for part in plan.parts)]
    _show_paper("teacher", f"""<header><h1>{to_html(lesson.title)}</h1>
<p>{lesson.minutes} minutes, {len(lesson.steps)} steps. {to_html(lesson.about)}</p></header>
<p><strong>Prior knowledge.</strong> {to_html(lesson.prior)}</p>
<p><strong>Aims.</strong> Afterwards, learners can</p><ul>{aims}</ul>
<ol class="steps">{steps}</ol>
{"".join(_plan(plan, key) for plan in used)}{_foot(key, seed)}""")


def _answers(lesson: Lesson, number: int, seed: int) -> str:
    """Return the HTML of a question, its answer, and what each wrong answer shows about a learner."""
    step = lesson.steps[number]
    beliefs = {one.answer: one for one in step.predict.misconceptions}
    rows = []
    for answer in lesson.answers(number, seed):
        if answer == step.predict.correct:
            rows.append(f"<li>☑ <strong>{to_html(answer)}</strong></li>")
        else:
            known = beliefs[answer]
            why = f"{to_html(known.belief)} <cite>{to_html(known.source)}</cite>"
            rows.append(f"<li>☐ {to_html(answer)}. {why}</li>")
    try:
        reveal = fill_figures(step.reveal, cached.zoo_scan()[0])
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # the card is missing or malformed
        reveal = "A figure that this step needs is not available."
    return f"""<li><p class="question">{to_html(step.predict.question)}</p><ul>{"".join(rows)}</ul>
<p>{to_html(reveal)}</p></li>"""


def _plan(plan: Plan, key: str = "") -> str:
    """Return the HTML of a plan. Parts with the lesson of this key stand out."""
    titles = {name: lesson.title for name, lesson in lessons()[0].items()}
    rows = []
    for part in plan.parts:
        steps = f", steps {', '.join(map(str, part.steps))}" if part.steps else ""
        lesson = f" <em>{to_html(titles.get(part.lesson, part.lesson))}{steps}.</em>" if part.lesson else ""
        mark = ' class="here"' if key and part.lesson == key else ""
        rows.append(f"<tr{mark}><td>{part.minutes} min</td><td>{to_html(part.text)}{lesson}</td></tr>")
    return f"<section><h2>{to_html(plan.title)}</h2><table>{''.join(rows)}</table></section>"


def _show_tools(key: str, other: tuple[str, str] | None = None) -> None:
    """Show the buttons above a paper, which are not printed."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="paper_tools"):
        st.button("All lessons", key="paper_list", on_click=open_view, args=("list",))
        _print(key="paper_print", data={"label": "Print"})
        if key and other:
            st.button(other[0], key="paper_other", on_click=open_view, args=(other[1], key))
            st.number_input(
                "Order of answers", 0, MAX_SHUFFLE, key="lessons_shuffle", width=170,
                help="the sheet, the teacher's page and a lesson that begins here share this order",
            )  # fmt: skip
            st.button(
                "Begin the lesson", key="paper_begin", on_click=begin_step,
                args=(key, 0, st.session_state.lessons_shuffle),
            )  # fmt: skip


def _show_paper(name: str, content: str) -> None:
    st.html(Path(__file__).with_name("paper.css"))
    st.html(f'<article class="paper {name}">{content}</article>')
