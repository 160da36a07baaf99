"""The content of the shipped lessons: equal answers, a source for each misconception, and a plan's steps."""

import re

import pytest

from vae import lessons

LESSONS = lessons.read()[0]
STEPS = [(key, number, step) for key, lesson in LESSONS.items() for number, step in enumerate(lesson.steps, 1)]
ELEVEN = (
    "codes", "sampling", "terms", "reparametrisation", "interpolation", "map", "disentangling", "collapse", "blur",
    "priors", "leaks",
)  # fmt: skip
MAX_RATIO = 1.5  # of the longest answer of a question to its shortest


def test_the_lessons_stand_in_their_order():
    assert tuple(LESSONS) == (*ELEVEN, "train", "overfitting")
    assert all(8 <= LESSONS[key].minutes <= 12 for key in ELEVEN)


def test_every_lesson_has_aims_and_prior_knowledge():
    assert all(2 <= len(lesson.aims) <= 4 and lesson.prior for lesson in LESSONS.values())


@pytest.mark.parametrize("key, number, step", STEPS, ids=[f"{key}.{number}" for key, number, _ in STEPS])
def test_a_question_has_three_answers_of_equal_length_and_sourced_misconceptions(key, number, step):
    predict = step.predict
    assert len(predict.answers) == 3
    lengths = [len(answer) for answer in predict.answers]
    assert max(lengths) <= MAX_RATIO * min(lengths), lengths
    assert {one.answer for one in predict.misconceptions} == set(predict.answers) - {predict.correct}
    for one in predict.misconceptions:
        assert one.belief.endswith(".") and re.search(r"https://\S+$", one.source), one


def test_no_two_steps_ask_the_same():
    questions = [step.predict.question for _, _, step in STEPS]
    assert len(set(questions)) == len(questions) == 52
