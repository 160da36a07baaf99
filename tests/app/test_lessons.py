"""The lessons: their links, their figures, and that what they call right is what the models do."""

import dataclasses
import urllib.parse

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import vae
from pages.components.compare import comparison
from pages.components.lessons.catalogue import LESSONS, fill_figures, parse_step, required_models
from pages.components.lessons.panel import step_link
from pages.components.shell import cached
from vae import metrics, store
from vae.data import DATASETS
from vae.evaluation import report

from .test_pages import PAGES, ROOT, start

STEPS = [(key, number) for key, lesson in LESSONS.items() for number in range(len(lesson.steps))]
CARDS = {card.name: card for card in vae.available()}
F = {name: card.figures for name, card in CARDS.items()}


@pytest.mark.parametrize("key, number", STEPS, ids=lambda v: str(v))
def test_a_step_is_a_link(key, number):
    step = LESSONS[key].steps[number]
    assert step.page in PAGES and 0 <= step.correct < len(step.answers) and len(set(step.answers)) == len(step.answers)
    address = urllib.parse.urlsplit(step_link(key, number))
    query = dict(urllib.parse.parse_qsl(address.query))
    assert address.path == step.page and parse_step(query["lesson"]) == (key, number)
    text = fill_figures(step.reveal, CARDS)
    assert "{" not in text.replace("\\mathrm{", "") and "nan" not in text


def test_six_lessons_or_more_of_five_to_ten_minutes():
    assert len(LESSONS) >= 6
    assert all(5 <= lesson.minutes <= 10 and len(lesson.steps) >= 4 for lesson in LESSONS.values())


# AppTest runs the front door once and pages alone ever after, so the panel is seen on Home here, where no
# step is taken; whole lessons are followed in the browser


def shown(lesson, answer=None, **chosen):
    """The app as a link with this lesson opens it, with an answer as if it had been given and
    settings as if a learner had chosen them before."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    app.query_params["lesson"] = lesson
    if answer is not None:
        key, number = parse_step(lesson)
        app.session_state[f"lesson_{key}_{number}"] = answer
    for key, value in chosen.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def test_the_answer_comes_after_the_question_and_the_next_step_is_another_page():
    right, wrong = LESSONS["why"].steps[0].answers[:2]
    app = shown("why.1")
    assert app.radio(key="lesson_why_0").value is None and not app.success and not app.info
    app = shown("why.1", wrong)
    assert not app.success and f"**{right}.**" in app.info[0].value
    app = shown("why.1", right)
    assert "**Yes.**" in app.success[0].value and app.button(key="lesson_back").disabled
    app.button(key="lesson_next").click().run()
    assert not app.exception
    assert app.session_state.lesson == "why.2"
    assert app.session_state.model == "mnist-ae-16d" and app.session_state.seed == 3


def test_a_step_may_be_left_and_found_again():
    app = shown("kl.1")
    app.button(key="lesson_there").click().run()
    assert not app.exception and app.session_state.lesson == "kl.1" and app.session_state.next_page == "pages/inside.py"  # noqa: E501
    app = shown("kl.2")
    app.button(key="lesson_leave").click().run()
    assert app.session_state.lesson == ""
    app = shown(f"kl.{len(LESSONS['kl'].steps)}")
    app.button(key="lesson_end").click().run()
    assert app.session_state.next_page == "pages/lessons.py" and not app.session_state.lesson


def test_a_step_brings_the_settings_of_its_page():
    assert shown("use.2").session_state.fill_hidden == "everything"
    for lesson, key, chosen, wanted in [
        ("kl.3", "compare_given", "one z", "one image"), ("why.1", "map_kind_dims_4", "pca", "dims"),
        ("walk.1", "map_kind_umap_4", "pca", "umap"),
    ]:  # fmt: skip
        assert shown(lesson, **{key: chosen}).session_state[key] == wanted


def test_a_step_that_does_not_exist_is_told():
    for wrong in ("why.9", "why.0", "nothing.1", "why", "why.x", "<b>.1"):
        app = shown(wrong)
        assert any("lesson does not exist" in w.value for w in app.warning)
        assert app.session_state.lesson == "" and not app.radio
    assert parse_step("why.1") == ("why", 0) and parse_step("why.٣") is None


def test_the_list_begins_each_lesson():
    app = start("lessons")
    for key, lesson in LESSONS.items():
        assert not app.button(key=f"begin_{key}").disabled
        assert any(step_link(key, len(lesson.steps) - 1) in c.value for c in app.caption)
    app.button(key="begin_bound").click().run()
    assert not app.exception and app.session_state.lesson == "bound.1" and app.session_state.model == "mnist-vae-bin"


def test_a_missing_model_is_told_and_the_lesson_goes_on(monkeypatch):
    without = {name: card for name, card in cached.zoo_scan()[0].items() if name != "mnist-vae-bin"}
    monkeypatch.setattr(cached, "zoo_scan", lambda: (without, {}))
    app = shown("bound.3", LESSONS["bound"].steps[2].answers[0])
    assert any("is unavailable" in w.value for w in app.warning)


def test_a_card_that_is_not_as_it_should_be_stops_no_lesson_that_does_not_need_it():
    broken = CARDS | {"rooms-ae": dataclasses.replace(CARDS["rooms-ae"], map=None)}
    assert fill_figures(LESSONS["why"].steps[1].reveal, broken) == fill_figures(LESSONS["why"].steps[1].reveal, CARDS)
    for figures in ({"recon": "text"}, {"recon": [1]}, {}):
        broken = CARDS | {"mnist-ae-16d": dataclasses.replace(CARDS["mnist-ae-16d"], figures=figures)}
        with pytest.raises((KeyError, ValueError, TypeError)):
            fill_figures(LESSONS["why"].steps[1].reveal, broken)


def test_what_a_lesson_needs():
    assert required_models(LESSONS["kl"]) == {"mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed"}
    assert {"sprites-beta16", "sprites-beta2", "sprites-btcvae"} <= required_models(LESSONS["factors"])
    assert all(required_models(lesson) <= CARDS.keys() for lesson in LESSONS.values())


# ---- what the lessons call right

def seeds(name):
    """MIG of a recipe's runs."""
    return [*(f["mig"] for f in report.earlier_seeds(store.Store().read_card(name)).values()), F[name]["mig"]]


def test_what_the_lessons_say_of_figures():
    digits = [F[name] for name in ("mnist-ae-16d", "mnist-vae-16d", "mnist-beta4", "mnist-collapsed")]
    assert np.all(np.diff([f["recon"] for f in digits]) > 0)  # kl.3
    assert digits[1]["recon"] > digits[1]["kl"]  # kl.1
    assert digits[1]["active_units"] < 16  # kl.2
    assert digits[2]["kl"] < digits[1]["kl"]  # kl.4: to the left and up
    assert digits[3]["kl"] < 0.05 and digits[3]["active_units"] == 0  # break.1
    names, gaps = DATASETS["sprites"].grid.names, F["sprites-btcvae"]["mig_gaps"]
    assert names == ("shape", "scale", "orientation", "x", "y")  # factors.2, in its order
    assert gaps[2] < 0.01 and min(gaps[:2] + gaps[3:]) > 0.3
    known = np.array(F["sprites-btcvae"]["mutual_information"])  # (D, K)
    assert known[:, 0].argmax() == known[:, 1].argmax()  # shape and scale share a number
    assert CARDS["sprites-beta1"].model_config() == CARDS["sprites-btcvae"].model_config()
    keys = ("steps", "batch_size", "learning_rate", "beta_from")
    assert [CARDS["sprites-beta1"].recipe[k] for k in keys] == [CARDS["sprites-btcvae"].recipe[k] for k in keys]
    migs = [F[f"sprites-beta{b}"]["mig"] for b in (1, 2, 4, 8, 16)]
    assert np.ptp(migs[1:]) < 0.03 < np.ptp(seeds("rooms-ada")) and 0.03 < np.ptp(seeds("sprites-btcvae"))  # factors.4
    assert all(CARDS[f"sprites-beta{b}"].recipe["beta_from"] == 60 for b in (1, 2, 4, 8, 16))
    recon = [F[f"sprites-beta{b}"]["recon"] for b in (1, 4, 16)]
    assert recon == sorted(recon)  # factors.3
    clothes = F["fashion-vae-16d"]  # break.2
    for kind in ("blurred", "empty"):
        assert max(clothes[f"auroc_excess_{kind}"], clothes[f"auroc_squared_error_{kind}"]) < 0.45
    assert clothes["auroc_excess_mnist"] > 0.95
    assert F["mnist-few"]["recon"] > 2 * F["mnist-vae-16d"]["recon"]  # break.3
    noisy = F["mnist-vae-16d"]
    assert noisy["psnr_denoised"] < noisy["psnr_mean_image"] < F["mnist-dvae"]["psnr_denoised"]  # break.4
    nll = {name: F[f"mnist-{name}"]["nll"] for name in ("vae-bin", "iaf", "vamp", "ladder")}
    assert F["mnist-vae-bin"]["negative_elbo"] > nll["vae-bin"] > max(nll["iaf"], nll["vamp"])  # bound.1 to 3
    gap = {name: F[f"mnist-{name}"]["negative_elbo"] - nll[name] for name in ("vae-bin", "iaf")}
    assert gap["iaf"] < gap["vae-bin"]  # bound.2
    assert abs(nll["ladder"] - nll["vamp"]) < 0.3  # bound.4
    assert F["mnist-m2"]["accuracy_with_model"] > F["mnist-m2"]["accuracy_labels_alone"] + 0.1  # use.4
    grown = F["mnist-vae-16d"]["augmentation"]
    assert grown["200 shifted"] > max(grown["200 VAE"], grown["200 alone"]) + 0.03  # use.5
    for name in ("mnist-vae-16d", "fashion-vae-16d"):
        assert all(F[name]["augmentation_error"][f"200 {way}"] < 0.0125 for way in ("alone", "VAE", "shifted"))
    trust = CARDS["mnist-vae-16d"].map["trustworthiness"]
    assert trust["umap"] > 0.9 > trust["pca"]  # walk.2


def test_nothing_holds_an_autoencoders_codes_together_and_the_kl_holds_a_vaes():
    """why.1 and why.5"""
    codes = {name: store.Store().read_map(name).codes for name in ("mnist-ae-2d", "mnist-vae-2d")}
    assert np.abs(codes["mnist-ae-2d"]).max() > 20 and codes["mnist-ae-2d"].std() > 2
    assert np.abs(codes["mnist-vae-2d"]).max() < 5 and 0.8 < codes["mnist-vae-2d"].std() < 1.2


def test_more_of_a_vaes_draws_are_digits():
    """why.2 and why.5"""
    judge = metrics.load_classifier("mnist", (1, 28, 28), (10,))
    sure, empty = {}, {}
    for name in ("mnist-ae-16d", "mnist-vae-16d"):
        model = vae.load(name)
        x = model.decode(model.sample(1000, generator=torch.Generator().manual_seed(0)))
        sure[name] = float((judge(x)[0].softmax(1).amax(1) > 0.9).float().mean())
        empty[name] = float(comparison.prior_holes(name).split("draws ")[1].split(" %")[0])
    assert sure["mnist-vae-16d"] > sure["mnist-ae-16d"] + 0.15
    assert empty["mnist-ae-16d"] > 5 * empty["mnist-vae-16d"]  # draws where no data lives, of 100
    assert CARDS["mnist-ae-16d"].model_config() == CARDS["mnist-vae-16d"].model_config()
    assert F["mnist-ae-16d"]["recon"] < F["mnist-vae-16d"]["recon"]


def test_a_decoder_knows_no_doubt():
    """walk.4"""
    model = vae.load("mnist-vae-2d")
    codes = torch.from_numpy(store.Store().read_map("mnist-vae-2d").codes)
    assert float(codes.abs().max()) < 5

    def grey(x):
        return float(torch.minimum(x, 1 - x).mean())

    assert grey(model.decode(torch.tensor([[30.0, -30.0]]))) < 0.5 * grey(model.decode(codes[:500]))


def test_between_two_images_there_are_more_digits_than_holes():
    """walk.1: mostly"""
    model = vae.load("mnist-vae-16d")
    x, y = DATASETS["mnist"].load("test").batch(range(400))
    z = model.encode(x).mean
    other = y[:200] != y[200:]
    middle = model.decode((z[:200] + z[200:])[other] / 2)
    sure = metrics.load_classifier("mnist", (1, 28, 28), (10,))(middle)[0].softmax(1).amax(1) > 0.9
    assert 0.55 < float(sure.float().mean()) < 0.95


def test_a_number_without_a_bar_changes_nothing():
    """kl.2"""
    model = vae.load("mnist-vae-16d")
    x, _ = DATASETS["mnist"].load("test").batch([0])
    z = model.encode(x).mean
    kl = np.array(F["mnist-vae-16d"]["kl_per_dim"])

    def moves(d):
        other = z.clone()
        other[0, d] += 2
        return float((model.decode(other) - model.decode(z)).abs().max())

    assert max(moves(d) for d in np.flatnonzero(kl < 0.01)) < 0.1 < 0.5 < min(moves(d) for d in np.argsort(-kl)[:5])


def test_half_way_there_is_one_digit_above_and_two_below():
    """walk.3"""
    model = vae.load("mnist-vae-16d")
    settings = LESSONS["walk"].steps[2].settings
    rows = [settings[f"interpolate_{end}_row_mnist"] for end in "AB"]
    x, y = DATASETS["mnist"].load("test").batch(rows)
    assert y.tolist() == [7, 0]
    middle, fade = model.decode(model.encode(x).mean.mean(0, keepdim=True)), x.mean(0, keepdim=True)
    judge = metrics.load_classifier("mnist", (1, 28, 28), (10,))
    assert float(judge(middle)[0].softmax(1).max()) > 0.99
    assert float((fade > 0.3).sum()) > 1.3 * float((middle > 0.3).sum())  # the strokes of both


def test_one_z_keeps_its_style_in_every_class():
    """use.3: the class is the label's, and how much ink and slant there is the code's"""
    model = vae.load("mnist-cvae")
    z = model.sample(40, generator=torch.Generator().manual_seed(0))
    judge = metrics.load_classifier("mnist", (1, 28, 28), (10,))
    ys = torch.arange(10).repeat(40)
    x = model.decode(z.repeat_interleave(10, 0), ys)
    assert (judge(x)[0].argmax(1) == ys).float().mean() > 0.9
    ink = x.sum((1, 2, 3)).view(40, 10)
    place = torch.arange(28.0) - 13.5
    weight = x[:, 0] / x.sum((1, 2, 3))[:, None, None]
    slant = (weight * place[:, None] * place[None, :]).sum((1, 2)).view(40, 10)
    for measure in (ink, slant):
        rank = (measure - measure.mean(0)) / measure.std(0)  # (z, class), what is left of each class's own
        agreement = torch.corrcoef(rank.T)[~torch.eye(10, dtype=torch.bool)].mean()
        assert agreement > 0.4  # one z's digits are alike in it, where another's are not
