"""Trainings in processes of their own, as the pages see them."""

import json
import subprocess
import sys
import time

import psutil
import pytest

from vae import Store, jobs, live
from vae.live import Plan, Training, replay, settings
from vae.live.training import _queue
from vae.training.recipes import of_card


def wait(condition, seconds=100):
    until = time.monotonic() + seconds  # other tests run at the same time
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def start(folder):
    started = []

    def start(plan=None, owner="", **options):
        started.append(Training(plan or Plan("boxes"), folder, owner or str(len(started)), **options))
        return started[-1]

    yield start
    for training in started:
        training.cancel()
    wait(lambda: not _queue.waiting)


@pytest.fixture
def light(monkeypatch):
    """Trainings whose process needs no torch, where the test is about this one."""
    monkeypatch.setattr(live.training, "MODULE", "tests.unit.live.without_torch")
    monkeypatch.setattr(_queue, "spare", None)


def running(training):
    training.seen()
    return training.state == "running" and training.step > 0


def test_the_process_of_the_pages_does_not_import_torch():
    script = "import sys, vae.live; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_training_goes_on_in_its_process_until_it_is_cancelled(start):
    training = start()
    wait(lambda: running(training))
    first, *_, last = training.frames()
    assert first.step == 0 < last.step and first.plane != last.plane and len(training.scene.labels) == 24
    training.cancel()
    assert training.state == "stopped" and training.sentence == "The training was cancelled."
    wait(lambda: not training._job.alive)


@pytest.mark.slow
def test_two_trainings_wait_for_each_other_and_the_first_ends_as_a_model(start, folder, info):
    first, second = start(owner="a"), start(owner="b")
    assert (first.place, second.place, second.state) == (0, 1, "queued")
    assert live.find("a") is first and live.find("b") is second and live.find("c") is None
    wait(lambda: running(first))
    assert second.state == "queued" and second.frames() == []
    first.send("pause")
    wait(lambda: first.state == "paused")
    step = first.step
    first.seen()
    first.send("batch")
    first.send("batch")
    wait(lambda: first.step == step + 2)
    first.set_beta(4.0)
    first.send("epoch")
    wait(lambda: first.step == step + 3 and first.frames()[-1].beta == 4.0)
    first.seen()
    first.send("go")
    wait(lambda: first.step > step + 3)
    with pytest.raises(jobs.JobError, match="has not ended yet"):
        first.result()
    began = time.monotonic()
    first.send("stop")
    wait(lambda: first.state == "finishing")
    answered = time.monotonic() - began
    wait(lambda: first.state == "finished")
    assert answered < 5 and first.sentence == first.warning == ""  # 0.5 on an idle machine
    wait(lambda: second.state != "queued")
    assert second.place == 0
    second.cancel()

    frames, curve = first.frames(), first.curve()
    assert frames[0].step == 0 and frames[-1].step == first.step == curve.step[-1] and frames[0].plane
    assert first.moves == [(0, 1.0), (step + 2, 4.0)] and len(first.scene.labels) == 24
    shop = Store([first.result()])
    (card,) = shop.available()
    assert card.recipe["steps"] == first.step and card.data == "boxes" and card.figures["recon"] > 0
    assert shop.scan() == ([card], {}) and len(shop.read_map(card.name)) == 24 and shop.read_network(card.name)
    assert len(shop.dataset(card).load("test")) == 24 and shop.first_view(card)
    assert (shop.folder(card.name) / "cover.webp").stat().st_size > 100
    again = replay.train(of_card(card), info, lambda stage, share: None)
    assert live_digest(again) == card.weights_sha256
    assert f"--steps={first.step}" in first.command() and f"{step + 2}:4.0" in first.command()
    held = first.result()
    del shop
    assert held.exists() and first._job is not None and not first._job.folder.exists()


def live_digest(model):
    from vae.live import result

    return result.digest(model)


def test_a_training_whose_visitor_is_gone_ends(start, light):
    training = start(abandoned=1.0)
    wait(lambda: training.state == "stopped")
    assert training.sentence == "The training ended because its page was closed."
    assert training.place == 0
    wait(lambda: not _queue.waiting)
    with pytest.raises(jobs.JobError, match="its page was closed"):
        training.result()


def test_a_training_that_is_killed_is_told_and_the_next_one_starts(start, light):
    first, second = start(), start()
    wait(lambda: running(first))
    psutil.Process(first._job.process.pid).kill()
    wait(lambda: first.state == "failed")
    assert "ended without a result (exit -9)" in first.sentence
    assert first.frames()  # its film is still there
    wait(lambda: second.state != "queued")


def test_a_new_training_of_an_owner_replaces_the_one_before(start, light):
    first = start(owner="me")
    second = start(owner="me")
    assert first.state == "stopped" and first.sentence == "The training was cancelled." and live.find("me") is second
    second.send("stop")
    wait(lambda: second.state == "failed")
    assert second.sentence == "Stopped without a model."


def test_a_training_leaves_the_queue(start, light):
    start()
    waiting = start()
    waiting.send("stop")
    assert waiting.state == "stopped" and "out of the queue" in waiting.sentence and waiting.place == 0


def test_a_training_that_cannot_begin_is_told(start, tmp_path):
    training = Training(Plan("nothing"), tmp_path, "x")
    wait(lambda: training.state == "failed")
    assert training.sentence == f"The training cannot begin: there is no data set 'nothing' in {tmp_path.parent}."


def test_a_spare_process_takes_the_next_training(start, light):
    live.warm_up()
    spare = _queue.spare
    wait(lambda: spare.progress().stage == "waiting")
    live.warm_up()
    assert _queue.spare is spare
    training = start()
    wait(lambda: training._job is not None)
    assert training._job is spare and _queue.spare is None
    live.warm_up()
    assert _queue.spare is None  # one process is enough, as long as one trains
    wait(lambda: running(training))


@pytest.mark.parametrize("value, seconds", [
    ("", settings.DEFAULT_SECONDS), ("300", 300.0), (" 1.5 ", 1.5), ("1e9", settings.MAX_SECONDS), ("off", 0.0),
    ("OFF", 0.0), ("0", 0.0), ("-3", 0.0), ("nan", 0.0), ("no", 0.0),
])  # fmt: skip
def test_the_setting_of_the_server(monkeypatch, value, seconds):
    monkeypatch.setenv(settings.VARIABLE, value)
    assert settings.seconds() == seconds


def test_a_server_that_allows_no_training(monkeypatch):
    monkeypatch.setenv(settings.VARIABLE, "off")
    with pytest.raises(jobs.JobError, match="This server does not allow training."):
        Training(Plan("boxes"))
    live.warm_up()
    assert _queue.spare is None and not _queue.waiting


def test_commands_and_betas_that_are_none(start, light):
    training = start()
    with pytest.raises(ValueError, match="unknown command 'faster'"):
        training.send("faster")
    for value in (-1.0, float("nan"), 1e9, True, "2"):
        with pytest.raises(ValueError, match="beta cannot be"):
            training.set_beta(value)
    assert training.beta == 1.0


def test_a_full_disk_costs_frames_and_is_told(start, light, monkeypatch):
    from vae.live import training as module

    training = start()
    wait(lambda: running(training))
    usage = module.shutil.disk_usage("/")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=0))
    wait(lambda: training.warning)
    assert training.warning.startswith("The disk of the server is full") and training.state == "running"
    psutil.Process(training._job.process.pid).kill()
    wait(lambda: training.state == "failed")
    assert "disk" in training.sentence


def test_an_error_of_the_watching_thread_does_not_block_the_queue(start, light, monkeypatch):
    first, second = start(), start()
    wait(lambda: running(first))
    monkeypatch.setattr(first, "_take_frames", lambda: 1 / 0)
    wait(lambda: first.state == "failed")
    assert first.sentence == "The training stopped because of an error in the server."
    wait(lambda: second.state != "queued" and not first._job.alive)


def test_a_card_is_repeated_on_the_command_line(folder, info, tmp_path, capsys, monkeypatch):
    from vae import __main__, folders
    from vae.latent import maps

    monkeypatch.setenv("VAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(folders, "data", lambda: folder.parent)
    monkeypatch.setattr(maps, "fit_umap", lambda codes, seed, progress, exact: codes[:, :2].copy())
    moves = [(0, 1.0), (4, 3.0)]
    line = Plan("boxes", latent_dim=3).command(9, moves).split()[3:]
    assert __main__.main(line) == 0
    (card,) = Store([tmp_path / "home"]).available()
    path = tmp_path / "card.json"
    stored = tmp_path / "home" / card.name / "card.json"
    path.write_text(json.dumps(json.loads(stored.read_text(encoding="utf-8"))), encoding="utf-8")
    assert __main__.main(["train", "--card", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == said[1] and said[0].endswith(card.weights_sha256)
    path.write_text("{}", encoding="utf-8")
    assert __main__.main(["train", "--card", str(path)]) == 1
    assert "is not a card" in capsys.readouterr().err
