import dataclasses

import numpy as np
import pytest
import torch

from vae import metrics
from vae.data import DATASETS
from vae.evaluation import judge
from vae.metrics.classifier import CLASSIFIERS


def test_a_classifier_learns_is_measured_and_read_back(tmp_path, monkeypatch, tiny_split):
    """Images whose class is how bright they are."""
    split = tiny_split((1, 28, 28), n=300)
    images = np.zeros((300, 1, 28, 28), np.uint8) + (25 * split.labels[:, None, None, None]).astype(np.uint8)
    split = dataclasses.replace(split, render=lambda rows: images[rows])
    monkeypatch.setitem(DATASETS, "mnist", dataclasses.replace(DATASETS["mnist"], load=lambda name: split))
    model = judge.fit_classifier("mnist", tmp_path, steps=150)
    assert model.accuracy[0] > 0.5  # chance is 0.1
    read = metrics.load_classifier("mnist", (1, 28, 28), (10,), tmp_path)
    x = split.batch(range(5))[0]
    torch.testing.assert_close(read(x)[0], model(x)[0])
    assert read.accuracy[0] == pytest.approx(model.accuracy[0], abs=1e-4)
    (tmp_path / "mnist.safetensors").write_bytes(b"nothing")
    for name in ("mnist", "missing"):
        with pytest.raises(OSError, match="missing or damaged"):
            metrics.load_classifier(name, (1, 28, 28), (10,), tmp_path)


def test_confidence_is_the_mean_largest_probability():
    class Fixed(torch.nn.Module):
        accuracy = (0.9, 0.7)

        def forward(self, x):
            p = torch.where(x[:, 0, 0, :1] > 0, torch.tensor([[0.8, 0.2]]), torch.tensor([[0.5, 0.5]]))
            return [p.log(), torch.zeros(len(x), 4)]

    bright, dark = torch.ones(6, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    found = metrics.confidence(Fixed(), bright, dark)
    assert found.of_samples == pytest.approx((0.8 + 0.25) / 2)
    assert found.of_test_images == pytest.approx((0.5 + 0.25) / 2)
    assert found.accuracy == pytest.approx(0.8) and "6 samples" in found.protocol


@pytest.mark.parametrize("path", sorted(CLASSIFIERS.glob("*.safetensors")), ids=lambda path: path.stem)
def test_shipped_classifiers_are_as_accurate_as_they_say(path):
    info = DATASETS[path.stem]
    model = metrics.load_classifier(info.name, info.image_shape, judge.head_sizes(info))
    assert path.stat().st_size < 1_200_000
    split = info.load("test")
    rows = np.arange(1000)
    found = torch.stack([logits.argmax(1) for logits in model(split.batch(rows)[0])], 1)
    right = (found == judge.targets(split, rows)).double().mean(0)
    np.testing.assert_allclose(right, model.accuracy, atol=0.04)
    # a sprite's angle and place are harder than its shape, which is what prepared pictures are judged by
    assert min(model.accuracy[:1] if path.stem == "sprites" else model.accuracy) > 0.9
