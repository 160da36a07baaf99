"""The order of answers: from a seed, fair, and the same as in a handout."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from vae.lessons import MAX_SHUFFLE, read
from vae.lessons.shuffle import shuffled, step_seed

SCRIPT = Path(__file__).parents[2] / "js/run_shuffle.mjs"


def test_a_seed_gives_the_same_order_again_and_every_order_is_as_frequent_as_another():
    assert shuffled("abcd", 3) == shuffled("abcd", 3)
    counts = Counter("".join(shuffled("abc", seed)) for seed in range(6000))
    assert len(counts) == 6 and max(abs(count - 1000) for count in counts.values()) < 150


def test_a_handout_shuffles_as_the_app_does():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    seeds = [step_seed(seed, order, number) for seed in (0, 1, 77, MAX_SHUFFLE) for order in (0, 13, 2**31 - 1)
             for number in (1, 6)]  # fmt: skip
    cases = [["abcde"[:n], seed] for n in (2, 3, 5) for seed in seeds]
    run = subprocess.run(
        [node, str(SCRIPT)], input=json.dumps(cases), capture_output=True, encoding="utf-8", check=True
    )
    assert json.loads(run.stdout) == ["".join(shuffled(text, seed)) for text, seed in cases]


def test_the_right_answers_of_a_lesson_stand_at_different_places():
    for key, lesson in read()[0].items():
        places = {
            shuffle: [lesson.answers(i, shuffle).index(step.predict.correct) for i, step in enumerate(lesson.steps)]
            for shuffle in range(20)
        }
        assert len({tuple(one) for one in places.values()}) > 5, key
        assert sum(len(set(one)) == 1 for one in places.values()) < 5, key
