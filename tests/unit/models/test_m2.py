import dataclasses

import pytest
import torch
from torch.distributions import kl_divergence

from vae.data import Split
from vae.models import FAMILIES
from vae.objectives.m2 import FewLabels
from vae.objectives.terms import m2
from vae.training.loop import shifted

CONFIG = FAMILIES["m2"].Config(
    (1, 28, 28), latent_dim=3, encoder=(16,), decoder=(16,), channels=(4, 8), num_classes=4
)


def build():
    torch.manual_seed(0)
    return FAMILIES["m2"](CONFIG).eval(), torch.rand(5, 1, 28, 28)


def test_the_bound_is_that_of_enumeration_over_labels():
    """Kingma et al. (2014), equations 6 and 7, one image and one label at a time."""
    model, x = build()
    out = model(x, generator=torch.Generator().manual_seed(3))
    y = torch.tensor([2, -1, -1, 0, -1])
    terms = m2(out, x, y, alpha=7.0)
    log_q_y = model.classify(x)
    for b in range(5):
        bounds = []
        for k in range(4):
            label, image = torch.tensor([k]), x[b : b + 1]
            q = model.encode(image, label)
            z = out.z[k * 5 + b][None]
            log_p = model.likelihood(z, label).log_prob(image) + torch.tensor(0.25).log()
            bounds.append(-(log_p - kl_divergence(q, model.prior)))
        bounds = torch.cat(bounds)  # L(x, y) of every y
        if y[b] >= 0:
            expected = bounds[y[b]] - 7.0 * log_q_y[b, y[b]]
        else:
            q_y = log_q_y[b].exp()
            expected = (q_y * bounds).sum() + (q_y * log_q_y[b]).sum()
        torch.testing.assert_close(terms.loss[b], expected)


def test_a_known_label_leaves_the_other_classes_out():
    model, x = build()
    y = torch.tensor([2, 1, 3, 0, 2])
    out = model(x, generator=torch.Generator().manual_seed(0))
    terms = m2(out, x, y, alpha=0.0)
    assert torch.equal(terms.entropy, torch.zeros(5))
    changed = out.log_q_y.roll(1, 1)
    again = m2(dataclasses.replace(out, log_q_y=changed), x, y, alpha=0.0)
    torch.testing.assert_close(terms.loss, again.loss)


def test_unlabelled_images_teach_the_classifier():
    model, x = build()
    m2(model(x), x, torch.full((5,), -1), alpha=0.0).loss.mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.classifier.parameters())


def test_with_a_class_it_is_a_conditional_vae():
    model, x = build()
    y = torch.tensor([0, 1, 2, 3, 0])
    out = model(x, y)
    assert out.z.shape == (5, 3) and not hasattr(out, "log_q_y")
    assert torch.equal(model.most_likely_class(x), model.classify(x).argmax(1))
    torch.testing.assert_close(model.classify(x).exp().sum(1), torch.ones(5))


def test_few_labels_are_balanced_and_the_rest_are_hidden(tiny_split):
    split: Split = tiny_split((1, 28, 28), n=200)
    data = FewLabels(split, labels=20, seed=0)
    assert len(data.labelled) == 20
    assert (torch.bincount(torch.from_numpy(split.labels[data.labelled])) == 2).all()
    assert set(data.labelled) == set(FewLabels(split, labels=20, seed=0).labelled)
    x, y = data.batch(list(range(30, 60)))
    assert x.shape[0] == 45 and (y[:30] == -1).all() and (y[30:] >= 0).all()
    seen = {tuple(image.flatten()[:20].tolist()) for image in x[30:]}
    labelled = {tuple(image.flatten()[:20].tolist()) for image in split.batch(data.labelled)[0]}
    assert seen <= labelled


def test_shifts_move_images_within_bounds():
    x = torch.zeros(400, 1, 9, 9)
    x[:, 0, 4, 4] = 1
    moved = shifted(x, 2, torch.Generator().manual_seed(0))
    places = moved.flatten(1).argmax(1)
    rows, columns = places // 9, places % 9
    assert torch.equal(rows.unique(), torch.arange(2, 7))
    assert torch.equal(columns.unique(), torch.arange(2, 7))
    assert torch.equal(moved.sum((1, 2, 3)), torch.ones(400))


def test_a_foreign_class_is_told_the_range():
    model, x = build()
    with pytest.raises(ValueError, match="from 0 to 3"):
        model.encode(x, torch.full((5,), 4))
