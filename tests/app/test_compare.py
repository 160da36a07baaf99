"""Compare: what stands beside what, and that it is what each model says alone."""

import numpy as np
import pytest
import torch

import vae
from pages.components.compare import comparison
from vae import objectives, store
from vae.data import DATASETS

from .test_pages import components, start


def pictures_of(app, name):
    return next(d for d in components(app).values() if d.get("name", "").startswith(name))


@pytest.mark.parametrize("names", comparison.PRESETS.values(), ids=lambda names: names[0])
def test_every_preset(names):
    app = start("compare", model=names[0], beside=",".join(names[1:]))
    assert app.session_state.beside and set(app.session_state.beside) == set(names[1:])
    titles = [vae.load(name).card.title for name in names]
    assert len(app.header) >= len(names)
    for title in titles:
        assert pictures_of(app, f"{title}: image and reconstruction and one dimension changed")["n"] == 3
    app.segmented_control(key="compare_given").set_value("one z").run()
    assert not app.exception, app.exception
    for title in titles:
        assert pictures_of(app, f"{title}: decoded z and one dimension changed")["n"] == 2


def test_a_preset_is_one_click():
    app = start("compare", model="fashion-vae-16d")
    app.button(key="compare_preset_mnist-ae-2d").click().run()
    assert not app.exception
    assert app.session_state.model == "mnist-ae-2d" and app.session_state.beside == ["mnist-vae-2d"]


def test_the_figures_beside_a_model_are_its_own():
    app = start("compare", model="mnist-vae-16d", beside="mnist-collapsed")
    x, _ = DATASETS["mnist"].load("test").batch([0])
    for name in ("mnist-vae-16d", "mnist-collapsed"):
        model = vae.load(name)
        z = model.encode(x).mean
        recon = -float(model.likelihood(z).log_prob(x))
        kl = float(objectives.elbo(model(x), x).kl[0])
        assert any(f"error **{recon:.1f}** nats, KL **{kl:.1f}** nats." in m.value for m in app.markdown), name


def test_z_is_given_to_models_of_its_length_alone():
    app = start("compare", model="mnist-vae-16d", beside="mnist-collapsed,mnist-vae-2d")
    app.segmented_control(key="compare_given").set_value("one z").run()
    assert not app.exception
    assert any("Digits, VAE, 2-D" in info.value for info in app.info)


def test_a_link_sets_at_most_three_models_that_exist_beside():
    app = start("compare", model="mnist-vae-2d",
        beside="nonsense,mnist-vae-2d,mnist-ae-2d,mnist-cvae,mnist-m2,mnist-dvae")
    assert len(app.session_state.beside) == 3
    assert not {"nonsense", "mnist-vae-2d"} & set(app.session_state.beside)


def test_moved_is_the_dimension_at_its_share_of_the_range():
    app = start("compare", model="mnist-vae-2d", beside="mnist-ae-2d")
    assert not app.exception
    model = vae.load("mnist-vae-2d")
    from pages.components.shell import cached

    found = comparison.Side(
        "mnist-vae-2d", "", "", model, torch.tensor([0.3, -0.2]), None, None, model.decode(torch.zeros(1, 2)), None,
        None, [1, 0], ["z1", "z0"], "",
    )  # fmt: skip
    low, high = cached.slider_ranges("mnist-vae-2d")[1]
    expected = model.decode(torch.tensor([[0.3, low + 0.25 * (high - low)]], dtype=torch.float32))
    np.testing.assert_allclose(comparison.decode_moved(found, 0, 0.25), expected, atol=1e-6)


def test_what_is_said_of_holes_is_measured():
    said = comparison.prior_holes("mnist-vae-2d")
    assert "% of 400 samples" in said and "confidence is" in said


def test_models_are_compared_by_what_they_do_with_each_factor():
    app = start("compare", model="sprites-ada", beside="sprites-vae")
    figures = store.Store().read_card("sprites-ada").figures
    table = app.dataframe[0].value.set_index("factor")
    kept, held = (figures[key]["shape"] for key in ("factors_kept", "factors_held"))
    assert table["Sprites, Ada-GVAE, 10-D"]["shape"].startswith(f"{kept:.2f} · {held:.2f} · ")
    assert any(f"{figures['infom']:.3f}" in c.value and f"{figures['mig']:.3f} ± " in c.value for c in app.caption)


def test_samples_stand_side_by_side_with_their_shares():
    app = start("compare", model="mnist-ae-16d", beside="mnist-vae-16d", compare_given="samples", seed="3")
    assert not app.exception, app.exception
    for name in ("mnist-ae-16d", "mnist-vae-16d"):
        card = vae.load(name).card
        assert pictures_of(app, f"{card.title}: samples")["n"] == comparison.SHOWN_SAMPLES
        assert any(f"z ~ {vae.load(name).prior_name}; seed 3." == m.value for m in app.markdown)
        said = f"{100 * card.figures['recognised']:.0f} % ({comparison._short_title(card.title)})"
        assert any(said in c.value for c in app.caption)
    app.button(key="compare_again").click().run()
    assert not app.exception and app.session_state.seed == 4
