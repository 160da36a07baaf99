import pytest
import torch

from vae.models import FAMILIES
from vae.models.flow import AutoregressiveStep, FlowPosterior
from vae.objectives import elbo

CONFIG = FAMILIES["iaf"].Config(
    (1, 28, 28), latent_dim=5, encoder=(16,), decoder=(16,), flow_steps=3, flow_width=12
)


def busy(module):
    """Weights far from the identity that training begins with."""
    torch.manual_seed(1)
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return module.double()


def posterior(b=3, steps=3):
    flow = busy(torch.nn.ModuleList(AutoregressiveStep(5, 12) for _ in range(steps)))
    torch.manual_seed(2)
    mu, context = torch.randn(b, 5).double(), torch.randn(b, 12).double()
    return FlowPosterior(mu, torch.rand(b, 5).double() + 0.3, context, flow)


def test_log_determinant_is_that_of_autograds_jacobian():
    q = posterior()
    noise = torch.randn(3, 5).double()
    z = q.push(noise)
    log_q = q.log_prob(z)
    for i in range(3):
        def one(e):
            return q.push(torch.cat([noise[:i], e[None], noise[i + 1 :]]))[i]  # noqa: B023

        jacobian = torch.autograd.functional.jacobian(one, noise[i])
        base = torch.distributions.Normal(0, 1).log_prob(noise[i]).sum()
        expected = base - torch.linalg.slogdet(jacobian)[1]
        torch.testing.assert_close(log_q[i], expected)
        assert abs(torch.linalg.slogdet(jacobian)[1]) > 0.1  # the flow does something


def test_an_output_depends_on_earlier_dimensions_alone():
    step = busy(AutoregressiveStep(6, 12))
    z, context = torch.randn(6).double(), torch.randn(12).double()
    for part in (0, 1):
        jacobian = torch.autograd.functional.jacobian(lambda v: step(v, context)[part], z)  # noqa: B023
        assert torch.equal(jacobian.triu(), torch.zeros_like(jacobian))
        # and on every earlier one
        assert (jacobian.tril(-1).abs().sum(1)[1:] > 0).all()


def test_going_back_through_the_flow_gives_the_same_density():
    q = posterior()
    with torch.no_grad():
        z = q.sample((4,))
        remembered = q.log_prob(z)
        torch.testing.assert_close(q.log_prob(z.clone()), remembered)


def test_the_density_integrates_to_one():
    flow = busy(torch.nn.ModuleList(AutoregressiveStep(2, 8) for _ in range(2)))
    q = FlowPosterior(torch.zeros(1, 2).double(), torch.ones(1, 2).double(), torch.randn(1, 8).double(), flow)
    with torch.no_grad():
        draws = q.sample((4000,))[:, 0]
        low, high = draws.amin(0) - 1, draws.amax(0) + 1
        n = 400
        axes = [torch.linspace(float(a), float(b), n).double() for a, b in zip(low, high, strict=False)]
        grid = torch.cartesian_prod(*axes)[:, None]  # (n*n, 1, 2)
        cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
        mass = q.log_prob(grid).exp().sum() * cell
    assert float(mass) == pytest.approx(1, abs=0.01)


def test_without_steps_in_effect_it_is_the_gaussian():
    """At its beginning each step multiplies by sigmoid(2) and shifts by nothing."""
    torch.manual_seed(0)
    step = AutoregressiveStep(4, 8)
    step.shift.bias.data.zero_()
    q = FlowPosterior(torch.zeros(2, 4), torch.ones(2, 4), torch.randn(2, 8), torch.nn.ModuleList([step]))
    noise = torch.randn(2, 4)
    torch.testing.assert_close(q.push(noise), (noise * torch.tensor(2.0).sigmoid()).flip(1))


def test_variance_is_that_of_draws():
    q = posterior()
    with torch.no_grad():
        draws = q.sample((20_000,))
        torch.testing.assert_close(q.variance, draws.var(0), rtol=0.6, atol=0)
    assert torch.equal(q.mean, q.push(torch.zeros(3, 5).double()))


def test_the_bounds_kl_is_estimated_at_the_draw():
    torch.manual_seed(0)
    model = FAMILIES["iaf"](CONFIG)
    busy(model.flow)
    model = model.float()
    x = torch.rand(4, 1, 28, 28)
    out = model(x, generator=torch.Generator().manual_seed(0))
    terms = elbo(out, x)
    with torch.no_grad():
        again = model.encode(x).log_prob(out.z) - model.prior.log_prob(out.z)
    torch.testing.assert_close(terms.kl, again, rtol=1e-3, atol=1e-3)
    assert terms.kl_per_dim is None
    terms.loss.mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.flow.parameters())
