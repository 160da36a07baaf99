import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from vae import store
from vae.data import DATASETS, rooms, sprites
from vae.data.base import FactorGrid
from vae.models import FAMILIES, NetworkConfig
from vae.objectives import (
    IWAE,
    AdaGVAE,
    AdversarialVAE,
    BetaTCVAE,
    BetaVAE,
    CapacityVAE,
    FactorVAE,
    FreeBits,
    QuantisedLatent,
    Schedule,
    SemiSupervised,
    VectorQuantised,
    elbo,
)
from vae.objectives.ada_gvae import Pairs
from vae.objectives.terms import factor_vae
from vae.training import graphs
from vae.training.batches import Batches, OnDevice
from vae.training.candidates import CANDIDATES
from vae.training.loop import Average, Critic, Stopped, train
from vae.training.recipes import RECIPES, Recipe, ema_decay

TINY = Recipe(
    title="", description="", family="vae", data="mnist", steps=12, batch_size=8, warmup_steps=2,
    config=NetworkConfig((1, 28, 28), latent_dim=2, encoder=(16,), decoder=(16,)),
)  # fmt: skip


def weights(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


EVERY = {**RECIPES, **{f"{name} on trial": recipe for name, recipe in CANDIDATES.items()}}


@pytest.mark.parametrize("name", EVERY)
def test_every_recipe_runs_two_steps(name, tiny_split, tmp_path):
    recipe = dataclasses.replace(EVERY[name], steps=2, batch_size=4)
    needs_pairs = isinstance(recipe.objective, AdaGVAE)
    split = DATASETS[recipe.data].load("train") if needs_pairs else tiny_split(recipe.config.image_shape, n=8)
    model = train(name, recipe, tmp_path, split=split, progress=False)
    torch.manual_seed(recipe.seed)
    fresh = type(model)(recipe.config)
    if recipe.starts_from:
        fresh.load_state_dict(store.load(recipe.starts_from).state_dict())
    assert not same(weights(model), weights(fresh))
    assert all(torch.isfinite(v).all() for v in weights(model).values())
    assert not model.training


def test_training_lowers_the_loss(tiny_split, tmp_path):
    recipe = dataclasses.replace(TINY, steps=150)
    split = tiny_split((1, 28, 28), n=16)
    x, y = split.batch(range(16))
    losses = []
    for steps in (1, 150):
        model = train("tiny", recipe if steps == 150 else dataclasses.replace(recipe, steps=1),
                      tmp_path / str(steps), split=split, progress=False)  # fmt: skip
        with torch.no_grad():
            losses.append(elbo(model(x, y, torch.Generator().manual_seed(0)), x).loss.mean())
    assert losses[1] < losses[0] - 1


def test_a_run_may_start_from_a_shipped_models_weights(tiny_split, tmp_path):
    recipe = dataclasses.replace(
        RECIPES["faces-vaegan"], steps=2, batch_size=4, learning_rate=0.0, mixed_precision="no"
    )
    split = tiny_split(recipe.config.image_shape, n=8)
    model = train("started", recipe, tmp_path, split=split, progress=False)
    assert same(weights(model), weights(store.load("faces-vae")))


def test_a_recipe_of_few_images_sees_no_others(tiny_split, tmp_path):
    whole, seen = tiny_split((1, 28, 28), n=64), set()

    def render(rows):
        seen.update(map(int, rows))
        return whole.render(rows)

    recipe = replace(RECIPES["mnist-few"], images=12, batch_size=4, steps=9)
    train("few", recipe, tmp_path, split=replace(whole, render=render))
    assert seen == set(range(12))
    first = whole.first(12)
    assert len(first) == 12 and torch.equal(first.batch([11])[0], whole.batch([11])[0])
    drawn = DATASETS["sprites"].load("test").first(3)
    assert len(drawn.factors) == len(drawn) == 3


def test_the_same_seed_gives_the_same_weights(tiny_split, tmp_path):
    split = tiny_split((1, 28, 28))
    a = train("tiny", TINY, tmp_path / "a", split=split, progress=False)
    b = train("tiny", TINY, tmp_path / "b", split=split, progress=False)
    c = train("tiny", dataclasses.replace(TINY, seed=1), tmp_path / "c", split=split, progress=False)
    assert same(weights(a), weights(b)) and not same(weights(a), weights(c))


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(tiny_split, tmp_path, monkeypatch):
    split = tiny_split((1, 28, 28))
    whole = train("tiny", TINY, tmp_path / "whole", split=split, progress=False)

    calls = 0
    original = split.render

    def interrupted(indices):
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        return original(indices)

    with pytest.raises(KeyboardInterrupt):
        train("tiny", TINY, tmp_path / "parts", progress=False,
              split=dataclasses.replace(split, render=interrupted))  # fmt: skip
    (found,) = (tmp_path / "parts").iterdir()
    assert 0 < int(found.name.removeprefix("step-")) < TINY.steps
    resumed = train("tiny", TINY, tmp_path / "parts", split=split, progress=False)
    assert same(weights(whole), weights(resumed))


CONV = NetworkConfig(
    (1, 28, 28), latent_dim=2, network="conv", encoder=(8,), decoder=(8,), channels=(4, 8)
)
RISING = Schedule(1.0, start=8.0, steps=10)
OBJECTIVES = {
    "capacity_vae": dict(objective=CapacityVAE(10.0, Schedule(5.0, 0.0, 8, geometric=False))),
    "beta_tcvae": dict(objective=BetaTCVAE(RISING)),
    "factor_vae": dict(objective=FactorVAE(RISING, gamma=35.0)),
    "ada_gvae": dict(objective=AdaGVAE(RISING), data="sprites", config=RECIPES["sprites-vae"].config),
    "vae_gan": dict(objective=AdversarialVAE(RISING, feature_weight=0.1, adversarial_weight=1.0), family="vaegan",
                    config=replace(CONV, latent_dim=2)),
    "iwae": dict(objective=IWAE(3)),
    "free_bits": dict(objective=FreeBits(RISING, 0.1)),
    "vq_vae": dict(objective=VectorQuantised(1.0), family="vqvae", config=FAMILIES["vqvae"].Config(
        **{**vars(CONV), "latent_dim": 49}, codebook=6, code_dim=2, prior_width=8, prior_layers=1)),
    "qlae": dict(objective=QuantisedLatent(), family="qlae", weight_decay=0.1, max_grad_norm=1.0,
                 config=FAMILIES["qlae"].Config(**vars(CONV), codebook=4)),
    "m2": dict(objective=SemiSupervised(20, 10.0), family="m2", shift=2, binarise=True,
               config=FAMILIES["m2"].Config(**{**vars(CONV), "network": "mlp"}, num_classes=10)),
    "beta_vae": dict(objective=BetaVAE(RISING)),
}  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_resumes_to_the_same_weights(objective, tiny_split, tmp_path):
    """Discriminators, the pairs of Ada-GVAE, M2's labelled images and a codebook's averages are
    part of the state."""
    recipe = dataclasses.replace(TINY, mixed_precision="bf16", **OBJECTIVES[objective])
    split = sprites.load("train") if recipe.data == "sprites" else tiny_split((1, 28, 28))
    whole = train("tiny", recipe, tmp_path / "whole", split=split, progress=False)
    calls = 0

    def interrupted(rows):
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        return original(rows)

    original = split.render
    stopping = dataclasses.replace(split, render=interrupted)
    with pytest.raises(KeyboardInterrupt):
        train("tiny", recipe, tmp_path / "parts", split=stopping, progress=False)
    resumed = train("tiny", recipe, tmp_path / "parts", split=split, progress=False)
    assert same(weights(whole), weights(resumed))


def test_the_discriminators_step_leaves_the_encoders_gradient_untouched():
    recipe = dataclasses.replace(TINY, objective=FactorVAE(gamma=35.0))
    torch.manual_seed(0)
    model = FAMILIES["vae"](recipe.config)
    critic = Critic.of(recipe)
    x = torch.rand(8, 1, 28, 28)
    out = model(x)
    elbo(out, x).loss.mean().backward(retain_graph=True)
    before = [p.grad.clone() for p in model.parameters()]
    network = [p.clone() for p in critic.network.parameters()]
    critic.step(out, x, Accelerator(), torch.Generator().manual_seed(0))
    assert any(not torch.equal(a, b) for a, b in zip(network, critic.network.parameters(), strict=False))
    assert all(torch.equal(a, p.grad) for a, p in zip(before, model.parameters(), strict=False))
    # nor does the encoder's step move the discriminator: it has an optimiser of its own
    network = [p.clone() for p in critic.network.parameters()]
    loss = factor_vae(out, x, gamma=35.0, logits=critic.network(out.z)).loss.mean()
    optimizer = torch.optim.Adam(model.parameters())
    loss.backward()
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(network, critic.network.parameters(), strict=False))


@pytest.mark.parametrize("data", [sprites, rooms])
@pytest.mark.parametrize("k", [1, 3])
def test_pairs_differ_in_k_factors_and_stay_in_the_split(data, k):
    train_split, test_split = data.load("train"), data.load("test")
    numbers = data.GRID.numbers
    drawn = []

    def render(rows):
        drawn.append(train_split.factors[rows])
        return train_split.render(rows)

    pairs = Pairs(dataclasses.replace(train_split, render=render), k)
    batches = [pairs.batch(np.arange(first, first + 600)) for first in (0, 600, 1200)]
    for factors in drawn:
        assert ((factors[:300] != factors[300:]).sum(1) == k).all()
        assert not np.isin(numbers(factors), numbers(test_split.factors)).any()
    assert drawn[0][:300].tolist() == train_split.factors[:300].tolist()
    again, _ = pairs.batch(np.arange(600))
    assert torch.equal(batches[0][0], again) and len(again) == 600
    _, y = pairs.batch(np.arange(600))
    assert y[:300].tolist() == train_split.labels[:300].tolist()


def test_a_callback_hears_of_each_step(tiny_split, tmp_path):
    heard = []
    train("tiny", TINY, tmp_path, split=tiny_split((1, 28, 28)), progress=False,
          on_step=lambda step, terms: heard.append((step, terms.recon.shape, terms.kl.shape)))  # fmt: skip
    assert heard == [(step, (8,), (8,)) for step in range(1, TINY.steps + 1)]


def test_an_importance_weighted_bound_sees_each_image_so_often(tiny_split, tmp_path):
    seen = []
    train("tiny", replace(TINY, objective=IWAE(3)), tmp_path, split=tiny_split((1, 28, 28)), progress=False,
          on_step=lambda step,
          terms: seen.append((terms.loss.shape,
              bool((terms.bound >= -terms.recon - terms.kl - 1e-4).all()))))  # fmt: skip
    assert seen == [((8,), True)] * TINY.steps  # the bound of 3 samples is no less than their mean ELBO


def test_a_finished_run_is_not_trained_again(tiny_split, tmp_path):
    split = tiny_split((1, 28, 28))
    first = train("tiny", TINY, tmp_path, split=split, progress=False)
    again = train("tiny", TINY, tmp_path, split=split, progress=False)
    assert same(weights(first), weights(again))


def test_another_recipes_checkpoint_is_not_resumed(tiny_split, tmp_path):
    split = tiny_split((1, 28, 28))
    train("tiny", TINY, tmp_path, split=split, progress=False)
    other = dataclasses.replace(TINY, objective=BetaVAE(4.0))
    with pytest.raises(ValueError, match="another recipe"):
        train("tiny", other, tmp_path, split=split, progress=False)
    train("tiny", dataclasses.replace(TINY, title="New"), tmp_path, split=split, progress=False)


def test_what_a_stored_recipe_did_not_know_of_has_its_default():
    recipe = RECIPES["rooms-ada"]
    stored = recipe.hyperparameters()
    assert recipe.same_as(stored)
    del stored["binarise"], stored["config"]["activation"]
    assert recipe.same_as(stored)
    assert not replace(recipe, objective=AdaGVAE(beta=2.0)).same_as(stored)
    assert not replace(recipe, config=replace(recipe.config, activation="silu")).same_as(stored)
    assert not recipe.same_as({**stored, "steps": recipe.steps + 1})
    assert not recipe.same_as({**stored, "a_field_of_the_past": 1})


def test_nan_stops_names_step_and_term_and_keeps_the_last_good_checkpoint(tiny_split, tmp_path):
    """From some step on the data are no numbers: the checkpoint before stays."""
    split = tiny_split((1, 28, 28))
    ruined = dataclasses.replace(split)
    calls = 0

    def batch(self, indices):
        nonlocal calls
        calls += 1
        x, y = split.batch(indices)
        return (x * float("nan") if calls > 7 else x), y

    object.__setattr__(ruined, "batch", batch.__get__(ruined))
    with pytest.raises(FloatingPointError, match=r"tiny, step \d+: recon is not finite"):
        train("tiny", TINY, tmp_path, split=ruined, progress=False, checkpoint_every=3)
    *_, kept = sorted(tmp_path.glob("step-*"))
    assert kept.name == "step-00000006"
    assert all(t.isfinite().all() for t in load_file(kept / "model.safetensors").values())


def test_the_average_by_hand_on_three_steps():
    """a <- d a + (1 - d) w with d = 1/10, 2/11, 3/12 and weights 4, 10, 6 after steps 0, 1, 2."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 2.0)
    average = Average(model)
    for step, value in enumerate((4.0, 10.0, 6.0)):
        torch.nn.init.constant_(model.weight, value)
        average.update(model, ema_decay(step))
    first = 0.1 * 2 + 0.9 * 4
    second = 2 / 11 * first + 9 / 11 * 10
    expected = 3 / 12 * second + 9 / 12 * 6
    assert average.weights["weight"].item() == pytest.approx(expected, rel=1e-6)
    average.copy_to(model)
    assert model.weight.item() == pytest.approx(expected, rel=1e-6)


def test_what_ships_are_the_averaged_weights(tiny_split, tmp_path):
    split = tiny_split((1, 28, 28))
    kept = train("tiny", TINY, tmp_path / "a", split=split, progress=False)
    raw = train("tiny", replace(TINY, ema=False), tmp_path / "b", split=split, progress=False)
    last = load_file(tmp_path / "a" / "step-00000012" / "model.safetensors")
    assert same(weights(raw), last) and not same(weights(kept), last)  # the average changes no step
    assert same(weights(kept), load_file(tmp_path / "a" / "step-00000012" / "average.safetensors"))


def test_training_refuses_the_test_split(tiny_split, tmp_path):
    with pytest.raises(ValueError, match="training must not read the test split"):
        train("tiny", TINY, tmp_path, split=replace(tiny_split((1, 28, 28)), name="test"))
    assert not list(tmp_path.iterdir())


def test_a_run_stops_at_a_checkpoint_when_it_is_asked_to(tiny_split, tmp_path):
    split, asked = tiny_split((1, 28, 28)), []
    with pytest.raises(Stopped, match="tiny stopped at step 5 of 12"):
        train("tiny", TINY, tmp_path / "parts", split=split, progress=False,
              stop=lambda: asked.append(1) or len(asked) == 5)  # fmt: skip
    assert [p.name for p in (tmp_path / "parts").iterdir()] == ["step-00000005"]
    resumed = train("tiny", TINY, tmp_path / "parts", split=split, progress=False)
    assert same(weights(resumed), weights(train("tiny", TINY, tmp_path / "whole", split=split, progress=False)))


def test_a_checkpoint_is_written_after_some_minutes_too(tiny_split, tmp_path, monkeypatch):
    monkeypatch.setattr("vae.training.loop.MAX_UNSAVED", -1)
    with pytest.raises(Stopped):
        train("tiny", TINY, tmp_path, split=tiny_split((1, 28, 28)), progress=False,
              stop=lambda: (tmp_path / "step-00000003").exists())  # fmt: skip
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["step-00000002", "step-00000003"]


@pytest.mark.parametrize("objective",
    [name for name, settings in OBJECTIVES.items() if settings["objective"].recordable])
def test_a_recorded_step_trains_as_an_ordinary_one(objective, tiny_split, tmp_path, monkeypatch):
    """What changes from step to step reaches a recording through tensors. Replays stand in for CUDA's."""
    recipe = dataclasses.replace(TINY, **OBJECTIVES[objective])
    split = sprites.load("train") if recipe.data == "sprites" else tiny_split((1, 28, 28))
    ordinary = train("tiny", recipe, tmp_path / "ordinary", split=split, progress=False)
    recordings = []

    def record(step, inputs, generator):
        result = {}

        def replay():
            result["terms"] = step(*inputs)

        recordings.append(inputs)
        return replay, result

    monkeypatch.setattr(graphs, "recordable", lambda recipe, device: True)
    monkeypatch.setattr(graphs, "record", record)
    monkeypatch.setattr("vae.training.loop.assert_finite", lambda *terms: None)
    with pytest.raises(Stopped):
        train("tiny", recipe, tmp_path / "recorded", split=split, progress=False, stop=lambda: len(recordings) > 0)
    found = train("tiny", recipe, tmp_path / "recorded", split=split, progress=False)
    assert len(recordings) == 2  # once in each process that a run has seen
    for key, value in weights(found).items():
        torch.testing.assert_close(value, weights(ordinary)[key], rtol=1e-3, atol=1e-5)


def test_images_held_on_a_device_are_the_splits(tiny_split, monkeypatch):
    monkeypatch.setattr(OnDevice, "CHUNK", 10)
    split = tiny_split((3, 8, 8), n=33)
    held = OnDevice(split, torch.device("cpu"))
    rows = np.array([32, 0, 9, 10])
    for ours, theirs in zip(held.batch(rows), split.batch(rows), strict=True):
        assert torch.equal(ours, theirs)
    assert len(held) == 33 and np.array_equal(held.labels, split.labels)
    grid = FactorGrid(("a", "b"), (tuple("abcde"), tuple("fghij")),
        lambda f: (f[:, :1, None, None] * 5 + f[:, 1:, None, None]).astype(np.uint8))
    drawn = grid.split("train+validation", 3)
    pairs, held_pairs = Pairs(drawn, 1), Pairs(OnDevice(drawn, torch.device("cpu")), 1)
    assert torch.equal(pairs.batch(np.arange(20))[0], held_pairs.batch(np.arange(20))[0])
    with pytest.raises(ValueError, match="has no partners"):
        Pairs(grid.split("train+validation", 24), 1).batch(np.zeros(2, int))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * 33 * 192 + 1, 0))
    assert OnDevice.fits(split, "cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * 33 * 192, 0))
    assert not OnDevice.fits(split, "cuda")


def test_without_a_gpu_cuda_is_refused_in_one_sentence(tiny_split, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="no GPU"):
        train("tiny", TINY, tmp_path, split=tiny_split((1, 28, 28)), device="cuda")


def test_batches_cover_each_epoch_and_resume_in_the_middle():
    whole = [b.tolist() for b in Batches(10, 3, seed=4, start=0, stop=7)]
    assert [b.tolist() for b in Batches(10, 3, seed=4, start=5, stop=7)] == whole[5:]
    epochs = [sorted(sum(whole[i : i + 3], [])) for i in (0, 3)]
    assert all(len(set(epoch)) == 9 for epoch in epochs)
    assert whole[:3] != whole[3:6]


