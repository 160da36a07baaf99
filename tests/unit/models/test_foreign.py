"""Networks of others as a LatentModel, and what is refused with a sentence."""

import copy
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal

from tests import foreign_models
from vae import explorer
from vae.data import in_memory
from vae.models import foreign, portable


def made(name):
    """Return a foreign model, what is said of it, and its images in [0, 1]."""
    model, images = foreign_models.build(name)
    given = in_memory.as_images(images)
    found, about = explorer.as_model(model, given, "test")
    return found, about, given.x


@pytest.fixture(params=foreign_models.MODELS)
def name(request):
    return request.param


def test_a_foreign_model_keeps_the_contract(name):
    model, about, x = made(name)
    q = model.encode(x)
    assert q.mean.dtype == torch.float32 and q.mean.shape == (len(x), model.latent_dim) and q.mean.isfinite().all()
    x_hat = model.reconstruct(x)
    assert x_hat.dtype == torch.float32 and x_hat.shape == x.shape and 0 <= x_hat.min() and x_hat.max() <= 1
    assert model.likelihood(q.mean).log_prob(x).isfinite().all()
    assert model.prior.log_prob(q.mean).shape == (len(x),) and model.sample(3).shape == (3, model.latent_dim)
    assert torch.equal(model.encode(x).mean, q.mean)
    assert model.deterministic == (name not in ("tuple_output", "distribution"))
    assert bool(about.dimensions) == (name in foreign_models.ALONG_DIRECTIONS)


def test_its_codes_and_images_are_those_of_its_author():
    (encode, decode), x = foreign_models.build("tuple_output")
    model, _, _ = made("tuple_output")
    mu, logvar = encode(x)
    with torch.no_grad():
        torch.testing.assert_close(model.encode(x).mean, mu)
        torch.testing.assert_close(model.encode(x).stddev, (0.5 * logvar).exp())
        torch.testing.assert_close(model.decode(mu), decode(mu))


def test_principal_directions_explain_what_they_say():
    model, about, x = made("mlp_512")
    (encoder, _), _ = foreign_models.build("mlp_512")
    with torch.no_grad():
        codes = encoder(x)
        z = model.encode(x).mean
    assert model.latent_dim == len(x) - 1  # as many as the images span
    variances = z.var(0)
    assert (variances[:-1] >= variances[1:] * (1 - 1e-4)).all()
    first = 100 * variances[0] / codes.var(0).sum()
    assert about.dimensions["0"] == f"direction 1, {float(first):.2g} %"
    torch.testing.assert_close(model._code(z), codes, atol=1e-4, rtol=1e-4)


def test_float64_is_computed_in_float64():
    seen = []
    encoder, decoder = foreign_models.float64()
    model, _ = explorer.as_model(
        (nn.Sequential(encoder, Spy(seen)), decoder), in_memory.as_images(foreign_models.images()), "test"
    )
    assert seen and set(seen) == {torch.float64}


class Spy(nn.Module):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.seen.append(x.dtype)
        return x


def test_modules_in_training_mode_are_switched_and_restored():
    encoder, decoder = foreign_models.batch_norm()
    decoder[1].eval()  # frozen by its author
    before = copy.deepcopy(encoder.state_dict())
    pair = foreign.Pair(encoder, decoder)
    codes = pair.check(foreign_models.images())
    assert any("training mode" in note for note in codes.notes)
    assert encoder.training and encoder[1].training and not decoder[1].training and decoder[0].training
    assert all(torch.equal(before[key], value) for key, value in encoder.state_dict().items())


def test_an_explored_model_does_not_follow_a_training_that_goes_on():
    encoder, decoder = foreign_models.mlp(2)
    x = foreign_models.images()
    model, _ = explorer.as_model((encoder, decoder), in_memory.as_images(x), "test")
    before = model.encode(x).mean
    nn.init.zeros_(encoder[1].weight)
    assert torch.equal(model.encode(x).mean, before)


# ---- a browser


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("tuple_output", "unknown_layer") else pytest.param(name, marks=pytest.mark.slow)
        for name in foreign_models.MODELS
    ],
)
def test_a_browser_runs_what_can_be_exported(name):
    model, _, x = made(name)
    exported = foreign.in_browser(model)
    found = portable.network_file(exported)
    if name in foreign_models.NOT_PORTABLE:
        assert "cumsum" in found["not_portable"]["decode"] and "fft" in found["not_portable"]["encode"]
        return
    assert found["not_portable"] == {} and set(found["networks"]) == {"decode", "encode"}
    z = model.encode(x).mean
    torch.testing.assert_close(exported.decode(z), model.decode(z), atol=1e-5, rtol=1e-4)
    names = {name for graph in found["networks"].values() for name in portable.tensor_names(graph)}
    stored = foreign.with_weights(model, exported, sorted(names & exported.state_dict().keys()))
    again = type(stored)(type(stored.config).from_dict(vars(stored.config)))
    again.load_state_dict(stored.state_dict())


# ---- what is refused

X = foreign_models.images(12)
ENCODER, DECODER = foreign_models.mlp(3)


class Noisy(nn.Module):
    def forward(self, x):
        mean = ENCODER(x)
        return mean + torch.randn_like(mean)


class BatchStatistics(nn.Module):
    def forward(self, x):
        code = ENCODER(x)
        return code - code.mean(0)


@pytest.mark.parametrize(
    "encoder, decoder, sentence",
    [
        (Noisy(), DECODER, "a different code for the same image at each call"),
        (BatchStatistics(), DECODER, "depends on the other images of its batch"),
        (lambda x: ENCODER(x) * float("nan"), DECODER, "codes that are NaN or infinite"),
        (lambda x: 0 * ENCODER(x), DECODER, "the same code for every image"),
        (lambda x: ENCODER(x).sum(), DECODER, "must return codes (B, D), not shape ()"),
        (lambda x: "z", DECODER, "must return a tensor, a tuple (mean, log-variance) or a Distribution, not str"),
        (lambda x: Categorical(logits=ENCODER(x)), DECODER, "must return codes (B, D), not shape (2,)"),
        (nn.Linear(7, 3), DECODER, "the encoder fails on images of shape (B, 1, 16, 16): "),
        (3, DECODER, "the encoder must be a torch module or a function, not int"),
        (ENCODER, None, "the decoder must be a torch module or a function, not NoneType"),
        (ENCODER, nn.Linear(4, 4), "the decoder fails on codes of shape (B, 3): "),
        (ENCODER, nn.Linear(3, 7), "must return images (B, 1, 16, 16), not shape (12, 7)"),
        (ENCODER, lambda z: DECODER(z).transpose(1, 3), "images (B, 1, 16, 16), not shape (12, 16, 16, 1)"),
        (ENCODER, lambda z: 40 * DECODER(z) - 20, "not pixels in [0, 1]: if they are logits"),
        (ENCODER, lambda z: DECODER(z) / 0, "pixels that are NaN or infinite"),
        (ENCODER, lambda z: {"picture": DECODER(z)}, "the decoder must return images as a tensor"),
        (nn.Linear(2, 2, device="meta"), DECODER, "on the device meta, so it has no weights"),
    ],
)  # fmt: skip
def test_what_cannot_be_explored_is_refused_in_one_sentence(encoder, decoder, sentence):
    with pytest.raises(ValueError) as refused:
        foreign.Pair(encoder, decoder).check(X)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


def test_a_module_on_another_device_is_asked_there():
    """The meta device stands in for one: what arrives at the network is on it."""
    seen = []

    class Elsewhere(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1, device="meta"))

        def forward(self, x):
            seen.append(x.device.type)
            raise RuntimeError("no values there")

    with pytest.raises(ValueError, match="no values there"):
        foreign.Pair(Elsewhere(), DECODER).encode(X)
    assert seen == ["meta"]


def test_usual_outputs_are_read():
    mean, logvar = torch.randn(2, 3), torch.zeros(2, 3)
    normal = Independent(Normal(mean, torch.ones(2, 3)), 1)
    named = {"embedding": mean, "log_covariance": logvar}
    for found in (normal, (mean, logvar), [mean, logvar, mean], (normal, mean), named):
        got, stddev = foreign.read_code(found)
        assert torch.equal(got, mean) and torch.equal(stddev, torch.ones(2, 3))
    for found in (mean, (mean,), (mean, "text"), (mean, torch.zeros(2, 5))):
        assert foreign.read_code(found)[1] is None
    for found in (mean, (mean, logvar), normal, {"reconstruction": mean}):
        assert torch.equal(foreign.read_image(found), mean)


def test_logvars_that_overflow_give_finite_deviations():
    _, stddev = foreign.read_code((torch.zeros(1, 2), torch.tensor([[1e9, -1e9]])))
    assert stddev.isfinite().all() and (stddev > 0).all()


def test_without_its_process_everything_is_nan(monkeypatch):
    from vae import remote

    monkeypatch.delenv(remote.ADDRESS, raising=False)
    model = foreign.ForeignVAE(foreign.ForeignVAE.Config((1, 4, 4), 2, served_as="gone"))
    assert model.decode(torch.zeros(3, 2)).isnan().all() and model.encode(torch.zeros(3, 1, 4, 4)).mean.isnan().all()
    assert remote.problem() == remote.ENDED


def test_a_model_asks_the_process_that_serves_it(monkeypatch):
    from vae import remote

    model, _, x = made("tuple_output")
    server = remote.Server(lambda question, array: model.answer(question.partition("/")[2], array))
    for key, value in server.environment.items():
        monkeypatch.setenv(key, value)
    asking = type(model)(model.config)
    asking.load_state_dict(model.state_dict())
    try:
        torch.testing.assert_close(asking.encode(x).mean, model.encode(x).mean)
        torch.testing.assert_close(asking.encode(x).stddev, model.encode(x).stddev)
        z = np.zeros((2, model.latent_dim), np.float32)
        torch.testing.assert_close(asking.decode(torch.from_numpy(z)), model.decode(torch.from_numpy(z)))
        assert remote.problem() == ""
    finally:
        server.close()
    assert asking.decode(torch.zeros(1, model.latent_dim)).isnan().all() and remote.problem() == remote.ENDED


def test_a_network_that_hangs_is_waited_for_only_so_long(monkeypatch):
    from vae import remote

    goes_on = threading.Event()
    server = remote.Server(lambda question, array: {"decode": array} if goes_on.wait(60) else {})
    for key, value in server.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(remote, "_connection", None)
    monkeypatch.setattr(remote, "TIMEOUT", 0.05)
    try:
        assert remote.ask("m/decode", np.zeros((1, 2), np.float32)) is None and remote.problem() == remote.SLOW
        goes_on.set()
        monkeypatch.setattr(remote, "TIMEOUT", 60.0)
        assert remote.ask("m/decode", np.zeros((1, 2), np.float32)) and remote.problem() == ""
    finally:
        goes_on.set()
        server.close()
        monkeypatch.setattr(remote, "_problem", "")


# ---- networks that misbehave


def grey(z):
    return z.sigmoid().mean(1).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def pair_of(encode=lambda x: x.flatten(1)[:, :3], decode=grey):
    return foreign.Pair(encode, decode)


def test_a_network_may_change_its_input_in_place():
    x = torch.rand(9, 1, 4, 4)
    pair, plain = pair_of(encode=lambda x: x.mul_(0.5).flatten(1)[:, :3]), pair_of()
    before = x.clone()
    torch.testing.assert_close(pair.check(x).mean, plain.check(x).mean / 2)
    assert torch.equal(x, before)


class InPlace(nn.Module):
    """Counts its calls in a buffer, and scales its input in place."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 16)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, z):
        self.calls += 1
        return self.layer(z.mul_(2)).sigmoid().view(-1, 1, 4, 4)


def test_a_network_that_changes_tensors_in_place_is_exported():
    x = torch.rand(9, 1, 4, 4)
    given = in_memory.as_images(x)
    model, _ = explorer.as_model((nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), InPlace()), given, "test")
    assert portable.network_file(foreign.in_browser(model))["not_portable"] == {}


def test_a_batch_of_one_may_be_squeezed():
    pair = pair_of(encode=lambda x: x.flatten(1)[:, :3].squeeze())
    assert pair.check(torch.rand(foreign.BATCH + 1, 1, 4, 4)).mean.shape == (foreign.BATCH + 1, 3)


def raising(at):
    calls = []

    def encode(x):
        calls.append(1)
        if len(calls) > at:
            raise KeyError("late\nsecond line")
        return x.flatten(1)[:, :3]

    return encode


def only_batches(z):
    assert len(z) > 1, "batches only"
    return torch.zeros(len(z), 1, 4, 4)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"encode": raising(1)}, "the encoder fails on images of shape (B, 1, 4, 4): 'late"),
        ({"decode": only_batches}, "the decoder fails on codes of shape (1, 3): batches only"),
        ({"encode": lambda x: 1e20 * x.flatten(1)}, "the encoder returns codes up to 1e+20: scale them to at most"),
        ({"encode": lambda x: x.flatten(1).numpy()}, "or a Distribution, not ndarray"),
        ({"encode": nn.Sequential(nn.Flatten(), nn.LazyLinear(3))}, "the model has lazy layers without weights"),
    ],
)
def test_what_a_network_does_wrong_is_one_sentence(parts, sentence):
    x = torch.rand(9, 1, 4, 4)
    x[0, 0, 0, 0] = 1
    with pytest.raises(ValueError) as refused:
        pair_of(**parts).check(x)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.filterwarnings("ignore:.*jit.script")
def test_scripted_modules_are_explored():
    x = torch.rand(9, 1, 4, 4)
    encode = torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(16, 3)))
    decode = torch.jit.script(nn.Sequential(nn.Linear(3, 16), nn.Unflatten(1, (1, 4, 4)), nn.Sigmoid()))
    model, _ = explorer.as_model((encode, decode), in_memory.as_images(x), "test")
    torch.testing.assert_close(model.encode(x).mean, encode(x).detach())
