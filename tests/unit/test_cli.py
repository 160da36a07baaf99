import dataclasses

import numpy as np
import pytest

from vae import __main__ as cli
from vae import pipeline, store
from vae.training import checkpoints


def test_train_evaluate_map_list(small_world, capsys):
    assert cli.main(["list"]) == 0
    assert "mnist-vae-2d       not trained yet" in capsys.readouterr().out
    runs = str(small_world / "runs")
    assert cli.main(["train", "mnist-vae-2d", "--runs", runs]) == 0
    card = store.Store().read_card("mnist-vae-2d")
    assert card.figures["test_images"] == 40 and card.recipe["steps"] == 3
    assert card.figures["negative_elbo"] == pytest.approx(card.figures["recon"] + card.figures["kl"])
    networks = store.Store().read_network("mnist-vae-2d")["networks"]
    assert list(networks) == ["decode", "encode"]  # written with the weights
    (store.PRETRAINED / "mnist-vae-2d/network.json").unlink()
    assert cli.main(["portable", "mnist-vae-2d"]) == 0
    assert store.Store().read_network("mnist-vae-2d")["weights_sha256"] == card.weights_sha256
    assert cli.main(["map", "mnist-vae-2d"]) == 0
    assert store.Store().read_map("mnist-vae-2d").codes.shape == (40, 2)
    assert store.Store().read_card("mnist-vae-2d").map["points"] == 40
    assert cli.main(["evaluate", "mnist-vae-2d"]) == 0
    assert store.Store().read_card("mnist-vae-2d").map["points"] == 40  # kept
    capsys.readouterr()
    assert cli.main(["list"]) == 0
    assert "On 40 test images: reconstruction " in capsys.readouterr().out.splitlines()[0]


def test_evaluate_all_and_traversals(small_world):
    readme = small_world / "pretrained" / "README.md"
    cli.main(["train", "mnist-vae-2d", "--runs", str(small_world / "runs")])
    cli.main(["map", "mnist-vae-2d"])
    assert cli.main(["evaluate", "--all"]) == 0
    assert "| mnist-vae-2d | negative ELBO, nats |" in readme.read_text(encoding="utf-8")
    assert cli.main(["traversals", "--all"]) == 0
    assert (small_world / "pretrained" / "mnist-vae-2d" / "traversals.webp").stat().st_size > 200
    assert "(mnist-vae-2d/traversals.webp)" in readme.read_text(encoding="utf-8")


def test_a_check_writes_nothing_and_names_what_differs(small_world, capsys):
    cli.main(["train", "mnist-vae-2d", "--runs", str(small_world / "runs")])
    card = store.Store().read_card("mnist-vae-2d")
    path = store.PRETRAINED / "mnist-vae-2d" / "card.json"
    written = path.stat().st_mtime_ns
    capsys.readouterr()
    assert cli.main(["evaluate", "mnist-vae-2d", "--check"]) == 0
    out = capsys.readouterr().out
    assert "mnist-vae-2d (1 of 1)" in out and "1 of 1 models have the figures of their cards. DCI was left out" in out
    assert path.stat().st_mtime_ns == written
    store.Store().write_card(dataclasses.replace(card, figures=card.figures | {"kl": card.figures["kl"] + 0.5}))
    assert cli.main(["evaluate", "--all", "--check", "--dci"]) == 1
    out = capsys.readouterr().out
    assert f"  kl is {card.figures['kl'] + 0.5:.7g} on the card and {card.figures['kl']:.7g} now (tolerance 0.001)\n" in out  # noqa: E501
    assert "0 of 1 models have the figures of their cards.\n" in out
    # one that cannot be used is no success
    store.Store().write_card(dataclasses.replace(card, figures=card.figures | {"fid": 1.0}))
    assert cli.main(["evaluate", "--all", "--check"]) == 1
    assert "figures that are not known here: 'fid'" in capsys.readouterr().out
    assert cli.main(["list"]) == 0
    assert "mnist-vae-2d       unavailable: its card has figures that are not known here: 'fid'" in capsys.readouterr().out  # noqa: E501


def test_new_weights_come_with_a_map_of_their_own(small_world):
    runs = str(small_world / "runs")
    cli.main(["train", "mnist-vae-2d", "--runs", runs])
    found = store.Store().read_map("mnist-vae-2d")
    before = found.codes
    store.Store().write_map("mnist-vae-2d", dataclasses.replace(found, codes=before + 1))
    cli.main(["train", "mnist-vae-2d", "--runs", runs])
    np.testing.assert_array_equal(store.Store().read_map("mnist-vae-2d").codes, before)


def test_a_folder_is_tried_before_anything_is_measured(small_world, monkeypatch, capsys):
    cli.main(["train", "mnist-vae-2d", "--runs", str(small_world / "runs")])
    capsys.readouterr()

    def refused(folder):
        raise OSError(f"{folder} cannot be written to (Read-only file system)")

    monkeypatch.setattr(checkpoints, "try_writing", refused)
    monkeypatch.setattr(pipeline, "evaluate", None)
    monkeypatch.setattr(pipeline, "fit_map", None)
    for command in ("evaluate", "map", "memory", "train"):
        assert cli.main([command, "mnist-vae-2d"]) == 1
        assert "cannot be written to (Read-only file system)" in capsys.readouterr().err


def test_errors_are_sentences(small_world, capsys):
    assert cli.main(["evaluate", "no-such-model"]) == 1
    assert capsys.readouterr().err == "error: there is no model named 'no-such-model'\n"
    assert cli.main(["gallery", "sprites"]) == 1
    assert "rendered from its factors" in capsys.readouterr().err
    assert cli.main(["train", "mnist-vae2d"]) == 1
    assert "the nearest are mnist-vae-2d" in capsys.readouterr().err
