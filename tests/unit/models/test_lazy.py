"""What properties keep, and when they compute again."""

import copy

import pytest
import torch

from tests.unit.models.test_conformance import build
from vae.models.lazy import computed_once, while_unchanged


class Thing:
    calls = 0

    @computed_once
    def value(self):
        self.calls += 1
        return torch.ones(2, requires_grad=True) * self.calls


def test_computed_once_with_and_once_without_gradients():
    thing = Thing()
    with torch.no_grad():
        assert thing.value is thing.value and not thing.value.requires_grad
    assert thing.value.requires_grad and thing.value is thing.value and thing.calls == 2
    assert Thing().value is not thing.value


@pytest.fixture
def counted():
    module = torch.nn.Linear(2, 2).eval().requires_grad_(False)
    calls = []

    def look():
        return while_unchanged(module, lambda: calls.append(1) or module.weight.clone())

    return module, look, calls


def test_kept_while_no_weight_changes(counted):
    module, look, calls = counted
    assert look() is look() and len(calls) == 1
    for change in (
        lambda: module.weight.add_(1),
        lambda: module.load_state_dict({key: value + 1 for key, value in module.state_dict().items()}),
        lambda: module.double(),
        lambda: setattr(module.weight, "data", module.weight.data + 1),
    ):
        change()
        before = len(calls)
        assert torch.equal(look(), module.weight) and torch.equal(look(), module.weight) and len(calls) == before + 1


def test_never_kept_where_gradients_or_inference_mode_are_at_work(counted):
    module, look, calls = counted
    look()
    with torch.inference_mode():
        assert look() is not look()
    module.train()
    assert look() is not look()
    module.eval().requires_grad_(True)
    assert look() is not look()
    with torch.no_grad():
        assert look() is look()


def test_a_copy_keeps_for_itself():
    model, _, _ = build("vamp")
    model.requires_grad_(False)
    mean = model.prior.mean
    other = copy.deepcopy(model)
    other.pseudo_inputs.neg_()
    assert torch.equal(model.prior.mean, mean) and not torch.equal(other.prior.mean, mean)


@pytest.mark.parametrize("family", ["vamp", "vqvae"])
def test_a_prior_that_takes_a_network_is_computed_once(family):
    model, _, _ = build(family)
    model.requires_grad_(False)
    calls = []
    network = model.encoder if family == "vamp" else model.prior_network.head
    network.register_forward_hook(lambda *_: calls.append(1))
    mean = model.prior.mean.clone()
    first = len(calls)
    assert torch.equal(model.prior.mean, mean) and len(calls) == first > 0
    model.prior.mean.add_(1)  # what is kept is not handed out to be changed
    assert torch.equal(model.prior.mean, mean)


@pytest.mark.parametrize("family", ["iaf", "ladder"])
def test_a_posterior_goes_through_its_networks_once(family):
    model, x, _ = build(family)
    with torch.no_grad():
        q = model.encode(x)
        calls = []
        network = model.flow[0] if family == "iaf" else model.top_down
        network.register_forward_hook(lambda *_: calls.append(1))
        assert q.mean is q.mean and q.variance is q.variance
        first = len(calls)
        assert torch.equal(q.stddev, q.variance.sqrt()) and len(calls) == first


def test_a_flows_density_is_known_of_its_sample_and_its_mean():
    """Whichever was asked for last: going back through the flow takes D passes of each step."""
    model, x, _ = build("iaf")
    with torch.no_grad():
        q = model.encode(x)
        z, mean = q.sample(), q.mean
        expected = model.encode(x).log_prob(z), model.encode(x).log_prob(mean)
        calls = []
        model.flow[0].register_forward_hook(lambda *_: calls.append(1))
        found = q.log_prob(z), q.log_prob(mean)
    assert not calls
    torch.testing.assert_close(found, expected)
