"""The game's rounds and scores, and its page without a browser."""

from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch

from pages.components.match import panel, result
from vae.data import DATASETS
from vae.metrics import multiscale_distance

from .test_old_links import open_link
from .test_pages import payload, start


@pytest.mark.parametrize("data", panel.MODELS)
def test_every_model_can_match_the_target_with_its_sliders(data):
    found = panel.rounds(data, seed=3)
    assert sorted(r.model for r in found) == sorted(panel.available_models(data)) == sorted(panel.MODELS[data])
    for one in found:
        assert one.score(one.start) == 0 and one.score(one.target) == pytest.approx(100)
        assert one.best < 0.7 * one.worst
        moved = {slider["index"] for slider in one.sliders}
        differ = set(np.flatnonzero(one.start != one.target).tolist())
        assert differ <= moved  # what has no slider is right from the start
        z = one.start.clone()
        for slider in one.sliders:
            d = slider["index"]
            assert slider["low"] <= one.start[d] <= slider["high"]
            # to the nearest place on the slider's track
            steps = round((float(one.target[d]) - slider["low"]) / slider["step"])
            z[d] = slider["low"] + steps * slider["step"]
        assert one.score(z) > panel.WIN_SCORE, one.model


def test_a_seed_is_a_game_and_its_order_is_chance():
    orders = {tuple(r.model for r in panel.rounds("sprites", seed)) for seed in range(6)}
    assert len(orders) > 1
    a, b = panel.rounds("sprites", 2), panel.rounds("sprites", 2)
    assert [r.model for r in a] == [r.model for r in b]
    np.testing.assert_array_equal(a[0].target, b[0].target)
    targets = [r for r in a if r.model == panel.FACTORS][0].target.numpy().astype(int)
    assert (DATASETS["sprites"].load("test").factors == targets).all(1).any()  # a held-out image


@pytest.mark.parametrize("data", panel.MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_a_picture_without_information_scores_0(monkeypatch, data, seed):
    average = torch.from_numpy(panel.average_image(data))
    for one in panel.rounds(data, seed):
        assert torch.equal(one.image, panel.rounds(data, seed)[0].image)  # one target for all
        best, plain = one.decode(one.target), one.image.mean((2, 3), keepdim=True).expand_as(one.image)
        for image in (average, plain, *(torch.full_like(one.image, grey) for grey in (0, 0.5, 1))):
            shown = {one.target: best, one.start: image}
            with monkeypatch.context() as patch:
                patch.setattr(panel.Round, "decode", lambda self, z, shown=shown: shown[z])
                assert one.score(one.start) == pytest.approx(0, abs=0.01), one.model


def test_the_score_is_the_share_of_the_way_from_the_worst_distance_to_the_best():
    one = next(r for r in panel.rounds("rooms", 0) if r.model == "rooms-ada")
    near = 0.9 * one.target + 0.1 * one.start
    at = float(multiscale_distance(one.decode(near), one.image))
    assert one.best < at < one.worst
    assert one.score(near) == pytest.approx(100 * (one.worst - at) / (one.worst - one.best), abs=1e-3)
    # the average of the first test images, in another order of summation
    x = DATASETS["rooms"].load("test").batch(range(panel.AVERAGED))[0]
    np.testing.assert_allclose(panel.average_image("rooms"), x.mean(0, keepdim=True), atol=1e-5)


def test_a_round_ends_with_the_score_measured_here_and_a_wild_message_ends_none(monkeypatch):
    one = panel.rounds("sprites", 0)[0]
    n, ended, reruns = len(one.start), [], []
    monkeypatch.setattr(panel, "request_rerun", reruns.append)

    def finish(**fields):
        sent = {"round": f"{one.id} Ada", "z": one.target.tolist(), "seconds": 2.5, "moves": 3, **fields}
        monkeypatch.setattr(panel.messages, "sent", lambda key, event: sent)
        panel._finished(one, "Ada", lambda *result: ended.append(result))

    for wild in (None, [], [0] * (n + 1), ["a"] * n, [float("nan")] * n, [1e9] * n, [[0]] * n, [True] * n):
        finish(z=wild)
    finish(round=f"{one.id} Eve")
    assert not ended and not reruns
    finish(score=-5)
    finish(z=one.start.tolist(), seconds=-1, moves=True)
    assert ended == [
        (pytest.approx(100), 2.5, 3, one.target.tolist()),
        (0.0, 0.0, 0, one.start.tolist()),
    ]
    assert reruns == [panel.KEY] * 2


def test_a_game_ends_with_the_names_and_a_table():
    app = start("match", model="sprites-vae", seed="3")
    order = [r.model for r in panel.rounds("sprites", 3)]
    shown = payload(app, "round", "sliders", "target")
    assert shown["round"] == "sprites 3 0 Player 1" and shown["title"] == "Model 1 of 4"
    text = " ".join(str(e.value) for e in (*app.markdown, *app.caption, *app.header, *app.title))
    assert not any(name in text for name in order if name != panel.FACTORS)  # hidden until the end
    results = [
        {"model": m, "score": 90.0 - i, "seconds": 10.0 + i, "moves": 5, "link": f"match?{i}"}
        for i, m in enumerate(order)
    ]
    app.session_state["match_games"] = {("Player 1", "sprites", 3): results[:1]}
    app.run()
    assert payload(app, "round", "sliders", "target")["title"] == "Model 2 of 4"
    assert list(app.dataframe[0].value["model"]) == ["model 1"]
    app.session_state["match_games"] = {("Player 1", "sprites", 3): results}
    app.run()
    assert not app.exception
    assert "The models" in app.header[0].value
    table = app.dataframe[0].value
    assert list(table["score"]) == [r["score"] for r in results]
    assert panel.FACTORS in list(table["model"])
    assert any("**" in m.value and "90 %" in m.value for m in app.markdown)
    app.session_state["match_games"] = {("Player 1", "sprites", 3): [{**r, "score": 0.0} for r in results]}
    app.run()
    assert any("You matched no target" in m.value for m in app.markdown)


@pytest.mark.parametrize("model, data", [
    ("sprites-btcvae", "sprites"), ("rooms-vae", "rooms"), ("mnist-vae-2d", "rooms"),
])  # fmt: skip
def test_the_game_opens_on_the_data_of_the_visitors_model(model, data):
    app = start("match", model=model, seed="3")
    assert payload(app, "round", "sliders", "target")["round"] == f"{data} 3 0 Player 1"
    assert app.session_state.model == model, "the game leaves the visitor's model as it is"
    assert any("leaves your own model unchanged" in c.value for c in app.caption) == (model == "mnist-vae-2d")


def test_a_result_is_a_link_to_the_same_target_and_its_score():
    game = panel.rounds("rooms", 5)
    number = next(i for i, one in enumerate(game) if one.model == "rooms-ada")
    near = (0.9 * game[number].target + 0.1 * game[number].start).tolist()
    query = dict(parse_qsl(urlsplit(result.address("rooms", 5, number, near)).query))
    app = start("match", **query)
    (title,) = [h.value for h in app.header if h.value.startswith("Result")]
    score = float(title.split(": ")[1].split(" ")[0])
    assert score == pytest.approx(game[number].score(torch.tensor(near)), abs=1)
    assert not app.warning and "rooms-ada" not in " ".join(m.value for m in app.markdown)
    app.button(key="match_play").click().run()
    assert payload(app, "round", "sliders", "target")["round"] == "rooms 5 0 Player 1"


@pytest.mark.parametrize("text", ["", "9:1", "0:1", "1:", "1:1", "1:nan", "x", "1:" + "9," * 500])
def test_a_result_that_cannot_be_read_is_one_sentence(text):
    app = open_link("match", {"match_data": "rooms", "seed": "5", "match_result": text})
    assert payload(app, "round", "sliders", "target")
    assert [w.value for w in app.warning] == (
        ["Part of this link cannot be used: its result of a round cannot be read."] if text else []
    )
