"""A training in this process, which is steered by a script."""

import dataclasses

import numpy as np
import pytest
import torch

from vae.live import Plan, replay, result, steering
from vae.live.control import Control
from vae.live.images import in_memory, training_split, validation_split
from vae.live.plan import FAMILIES
from vae.live.steering import Steering
from vae.live.view import View
from vae.live.worker import train_model
from vae.training.recipes import of_card


class Run:
    """A training whose requests are a function of the step that is about to be taken."""

    def __init__(self, plan, info, ask, train=None):
        self.plan, self.info = plan, info
        self.train = train or in_memory(training_split(info))
        self.recipe = plan.recipe(info)
        self.view = View(self.recipe, info, self.train, validation_split(info))
        self.frames, self.stages = [], []
        self.steering = Steering(plan, self.view, self.frames.append, self.listen, self.report, 600.0)
        self.ask, self.looks = ask, 0
        self.steering.show_untrained(self.recipe.objective)
        self.model, self.broken = train_model(self.recipe, self.train, self.view, self.steering)
        self.ended = plan.recipe(info, max(1, self.view.step), self.steering.moves)

    def listen(self):
        self.looks += 1
        assert self.looks < 10_000
        return self.ask(self.steering.steps, self.looks)

    def report(self, stage, share):
        assert 0 <= share
        if not self.stages or self.stages[-1] != stage:
            self.stages.append(stage)

    @property
    def digest(self):
        return result.digest(self.model)


def until(steps):
    """Trains for so many steps."""
    return lambda step, looks: Control(mode="stop" if step >= steps else "go")


def unbroken(recipe, info):
    return result.digest(replay.train(recipe, info, lambda stage, share: None))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_shown_and_ends_with_the_weights_of_its_recipe(info, family):
    run = Run(Plan("boxes", family, latent_dim=3), info, until(7))
    assert run.ended.steps == 7 and run.broken == "" and run.stages[-1] == "ending"
    first, *_, last = run.frames
    assert (first.step, last.step) == (0, 7) and np.isnan(first.train).all() and np.isfinite(last.train).all()
    dims = run.model.latent_dim
    for frame in run.frames:
        assert frame.codes.shape == (24, 2) and frame.kl.shape == (dims,) and np.isfinite(frame.validation).all()
    if family != "autoencoder":
        assert last.kl.sum() == pytest.approx(last.validation[1], rel=1e-4)
    assert run.digest == unbroken(run.ended, info)


def test_a_beta_that_is_moved_is_in_the_recipe_and_changes_the_curve_at_its_step(info):
    def ask(step, looks):
        return Control(mode="stop" if step >= 30 else "go", beta=1.0 if step < 10 else 50.0 if step < 20 else 0.5)

    run = Run(Plan("boxes", beta=3.0), info, ask)
    assert run.steering.moves == [(0, 1.0), (10, 50.0), (20, 0.5)]
    assert run.ended.objective.beta.values == tuple(run.steering.moves)
    at = {frame.step: frame for frame in run.frames}
    assert {0, 10, 20, 30} <= at.keys() and [at[step].beta for step in (10, 20, 30)] == [50.0, 0.5, 0.5]
    recon, kl, loss = at[10].validation
    assert loss == pytest.approx(recon + 50 * kl, rel=1e-5)
    recon, kl, loss = at[20].train  # of ten steps with beta 50 and none of another
    assert loss == pytest.approx(recon + 50 * kl, rel=1e-5)
    assert [tuple(move) for frame in run.frames for move in frame.moves] == run.steering.moves
    assert run.digest == unbroken(run.ended, info)
    assert run.digest != unbroken(dataclasses.replace(run.ended, objective=run.recipe.objective), info)


def test_pauses_batches_and_epochs_change_no_bit(info):
    def ask(step, looks):
        if step < 5:
            return Control("go")
        if step < 8:  # three batches, the last two in one look
            return Control("pause", batches=min(3, looks // 10))
        if looks < 100:
            return Control("pause", batches=3)
        if step < 8 + 2 * 1:
            return Control("pause", batches=3, epochs=2)  # an epoch of 192 images is one step
        return Control("go" if step < 20 else "stop", batches=3, epochs=2)

    run = Run(Plan("boxes", "beta_vae", beta=2.0), info, ask)
    assert run.ended.steps == 20 and run.stages.count("paused") >= 2
    assert {5, 8, 20} <= {frame.step for frame in run.frames}  # a pause shows what it has come to
    assert run.digest == unbroken(run.ended, info) == unbroken(dataclasses.replace(run.ended, steps=20), info)


def test_a_plan_ends_after_its_epochs(info):
    run = Run(Plan("boxes", epochs=4), info, until(10**6))
    assert run.ended.steps == 4 * run.view.scene.steps_per_epoch == 4


def test_a_stop_in_a_pause_and_before_the_first_step(info):
    run = Run(Plan("boxes"), info, lambda step, looks: Control("stop"))
    assert [frame.step for frame in run.frames] == [0] and run.broken == ""
    paused = Run(Plan("boxes"), info, lambda step, looks: Control("pause" if looks < 20 else "stop"))
    assert paused.digest == run.digest


@pytest.mark.parametrize("family", ["vae", "autoencoder", "tc_vae"])
def test_nan_names_step_and_term_and_keeps_the_last_snapshot(info, family, monkeypatch):
    monkeypatch.setattr(steering, "EVERY", 0.0)
    monkeypatch.setattr(steering, "SHARE", 1e9)  # a frame at every step
    split = in_memory(training_split(info))
    calls = []

    class Ruined:
        def __getattr__(self, name):
            return getattr(split, name)

        def __len__(self):
            return len(split)

        def batch(self, indices):
            calls.append(1)
            x, y = split.batch(indices)
            return (x * float("nan") if len(calls) > 7 else x), y

        def batches(self, *args, **options):
            return split.batches(*args, **options)

    run = Run(Plan("boxes", family), info, lambda step, looks: Control(), train=Ruined())
    assert run.broken.startswith("Training stopped at step 7: the reconstruction error is not finite.")
    assert run.broken.endswith("The model is the snapshot of step 7.")
    assert all(t.isfinite().all() for t in run.model.state_dict().values())
    assert [frame.step for frame in run.frames] == list(range(8)) and run.ended.steps == 7
    assert run.digest == unbroken(run.ended, info)


def test_a_plane_stays_where_it_is_when_components_swap(info):
    plan = Plan("boxes", latent_dim=5)
    view = View(plan.recipe(info), info, training_split(info), validation_split(info))
    random = np.random.default_rng(0)
    features = random.standard_normal((24, 5)) * [3, 2.9, 0.1, 0.1, 0.1]
    before, codes = view._place(features)
    swapped = features * [2.9 / 3, 3 / 2.9, 1, 1, 1]  # now the second component is the first
    after, moved = view._place(swapped)
    assert np.abs(moved - codes).max() < 0.5
    np.testing.assert_allclose(after.place(swapped), moved, atol=1e-9)
    np.testing.assert_allclose(after.axes @ after.axes.T, np.eye(2), atol=1e-9)


def test_the_plane_of_a_model_without_a_prior_follows_its_codes_in_steps(info):
    view = View(Plan("boxes", "autoencoder").recipe(info), info, training_split(info), validation_split(info))
    codes = np.random.default_rng(0).standard_normal((24, 2))
    first = view._extent(codes)
    assert (view._extent(1.05 * codes) == first).all()  # small moves do not move the background
    wider = view._extent(5 * codes)
    assert (np.abs(wider) > np.abs(first)).all()
    narrow = view._extent(codes + 100)
    assert (codes + 100 >= narrow[[0, 2]]).mean() > 0.9 and (narrow[1] - narrow[0]) < (wider[1] - wider[0])


def test_a_card_holds_the_recipe(info):
    plan = Plan("boxes", "tc_vae", 3, likelihood="gaussian")
    recipe = plan.recipe(info, 6, [(0, 1.0), (3, 2.0)])
    from vae import pipeline

    card = pipeline.new_card("a", recipe, {}, info)
    assert of_card(card) == recipe
    with pytest.raises(ValueError, match="holds no recipe"):
        of_card(dataclasses.replace(card, recipe={"steps": 3, "what": 1}))


def test_frames_do_not_touch_the_generator_of_the_training(info):
    plan = Plan("boxes")
    view = View(plan.recipe(info), info, training_split(info), validation_split(info))
    torch.manual_seed(3)
    state = torch.get_rng_state()
    view.frame(1.0, plan.recipe(info).objective, {"beta": 1.0}, np.zeros(3))
    assert torch.equal(torch.get_rng_state(), state)
