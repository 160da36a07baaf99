"""The page of a training: what its widget is sent, and what the buttons do. The training is a recorded one."""

import base64
import dataclasses
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pages.components.shell import own, visitors
from pages.components.train import example, panel
from tests.unit.data.own.images import named, zipped
from vae import live
from vae.data import own as own_data
from vae.jobs import JobError
from vae.live import props

from .events import emit
from .test_pages import payload, start

RECORDED = example.recording().frames()
KEY = panel.KEY


class Recorded:
    """A training that has left the recorded snapshots, without a process."""

    of_owner: dict = {}
    allowed = True

    def __init__(self, plan, data_folder=None, owner=""):
        if not self.allowed:
            raise JobError("The queue is full.")
        self.plan, self.data_folder, self.owner, self.state, self.place = plan, data_folder, owner, "running", 2
        self.scene, self.sentence, self.warning, self.stage, self.progress = None, "", "", "fitting UMAP", 0.4
        self.shown, self.betas, self.commands, self.times_seen = 0, [], [], 0
        self.of_owner[owner] = self

    def seen(self):
        self.times_seen += 1

    def show(self, count):
        self.scene, self.shown = example.recording().scene, count

    def frames(self, after=-1):
        return [frame for frame in RECORDED[: self.shown] if frame.step > after]

    def curve(self):
        return example.recording().curve()

    def send(self, command):
        self.commands.append(command)
        self.state = {"pause": "paused", "go": "running", "stop": "stopped"}.get(command, self.state)

    def set_beta(self, value):
        self.betas.append(value)

    def cancel(self):
        self.state = "stopped"

    def command(self):
        return self.plan.command(1)

    def result(self):
        raise JobError("The training has not ended yet.")


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    monkeypatch.setattr(live, "Training", Recorded)
    monkeypatch.setattr(Recorded, "of_owner", {})
    monkeypatch.setattr(live, "find", Recorded.of_owner.get)
    for module in (own, visitors):
        monkeypatch.setattr(module, "visitor", lambda: "me")
    yield
    visitors.remove_all()


def shown(app):
    return payload(app, "film", "steps", "frames")


def act(app, action, **fields):
    film = shown(app)["film"]
    emit(app, KEY, "act", {"film": film, "action": action, "beta": 1, **fields})
    assert not app.exception, app.exception
    return shown(app)


def begun(app, **fields):
    act(app, "start", **fields)
    return Recorded.of_owner["me"]


# ---- what the widget is sent


def test_the_page_opens_with_a_recorded_training():
    app = start("train")
    sent = shown(app)
    assert sent["film"] == panel.EXAMPLE and sent["phase"] == "idle" and sent["can_start"]
    assert len(sent["frames"]) == len(RECORDED) > 10 and sent["steps"] == [frame["step"] for frame in sent["frames"]]
    assert set(sent["labels"]) == set(range(10)) and len(sent["colours"]) == len(sent["classes"]) == 10
    first, last = sent["frames"][0], sent["frames"][-1]
    assert first["step"] == 0 and last["loss"] < 0.5 * first["loss"], "from an untrained network to a trained one"
    for picture in (last["plane"], last["reconstructions"], last["samples"], sent["originals"]):
        assert Image.open(io.BytesIO(base64.b64decode(picture))).format == "WEBP"


def test_codes_and_curves_arrive_as_they_were_measured():
    frame = RECORDED[-1]
    sent = props.frame(frame)
    codes = np.frombuffer(base64.b64decode(sent["codes"]), "<i2").reshape(-1, 2) / props.INT16 * sent["reach"]
    assert np.abs(codes - frame.codes).max() < 1e-4 * sent["reach"]
    curve = example.recording().curve()
    many = dataclasses.replace(
        curve, **{field.name: np.repeat(getattr(curve, field.name), 50, 0) for field in dataclasses.fields(curve)}
    )
    sent = props.curve(many)
    assert len(sent["step"]) == props.MAX_ROWS and sent["step"][-1] == curve.step[-1]
    assert sent["recon"][-1] == pytest.approx(curve.validation[-1, 0], abs=1e-3)
    assert sent["train_kl"][-1] == pytest.approx(curve.train[-1, 1], abs=1e-3)


def test_a_snapshot_is_sent_once_and_again_when_it_is_missing():
    app = start("train")
    app.run()
    assert shown(app)["frames"] == [] and len(shown(app)["steps"]) == len(RECORDED)
    emit(app, KEY, "missing", {"film": panel.EXAMPLE, "after": RECORDED[20].step})
    assert [frame["step"] for frame in shown(app)["frames"]] == [frame.step for frame in RECORDED[21:]]
    for wrong in ({"film": "another", "after": -1}, {"film": panel.EXAMPLE, "after": "x"}, [], None):
        emit(app, KEY, "missing", wrong)
        assert shown(app)["frames"] == [] and not app.exception
    training = begun(app)
    training.show(3)
    app.run()
    assert [frame["step"] for frame in shown(app)["frames"]] == [frame.step for frame in RECORDED[:3]]
    training.show(5)
    app.run()
    assert [frame["step"] for frame in shown(app)["frames"]] == [frame.step for frame in RECORDED[3:5]]


# ---- what the buttons do


def test_a_start_takes_the_choices_and_locks_them():
    app = start("train")
    app.selectbox(key="train_family").set_value("tc_vae").run()
    app.selectbox(key="train_dims").set_value(10).run()
    app.number_input(key="train_seed").set_value(7).run()
    training = begun(app, beta=4)
    assert training.plan == live.Plan("mnist", "tc_vae", latent_dim=10, beta=4.0, seed=7, seconds=60)
    sent = shown(app)
    assert sent["phase"] == "running" and sent["film"] not in ("", panel.EXAMPLE) and sent["frames"] == []
    assert all(box.disabled for box in app.selectbox) and training.times_seen
    act(app, "start")
    assert Recorded.of_owner["me"] is training, "one at a time"


def test_pause_batch_epoch_go_and_stop_reach_the_training():
    app = start("train")
    training = begun(app)
    assert act(app, "pause")["phase"] == "paused"
    act(app, "batch")
    act(app, "epoch")
    assert act(app, "go")["phase"] == "running"
    for wrong in ("kill", None, ["stop"], 3):
        act(app, wrong)
    act(app, "stop", film="another's training")
    assert training.state == "running"
    sent = act(app, "stop")
    assert sent["phase"] == "idle" and training.commands == ["pause", "batch", "epoch", "go", "stop"]
    assert not any(box.disabled for box in app.selectbox)


def test_beta_moves_while_the_model_learns():
    app = start("train", train_beta="4")
    assert shown(app)["beta"] == 4 and shown(app)["beta_version"] == 1
    training = begun(app, beta=2)
    assert training.plan.beta == 2
    film = shown(app)["film"]
    for value in (8, -1, 1e9, float("nan"), "8", None, True):
        emit(app, KEY, "beta", {"film": film, "value": value})
    emit(app, KEY, "beta", {"film": "another", "value": 16})
    assert training.betas == [8] and shown(app)["beta"] == 8 and not app.exception


def test_states_are_sentences():
    app = start("train")
    training = begun(app)
    for state, words in {
        "queued": "Trainings before yours: 2", "starting": "Starting", "running": "MNIST digits: 40 %",
        "paused": "Paused", "finishing": "fitting UMAP, 40 %",
    }.items():  # fmt: skip
        training.state = state
        app.run()
        assert words in shown(app)["status"], state
    training.state, training.sentence = "failed", "The loss is not a number at step 12: kl."
    app.run()
    assert training.sentence in shown(app)["status"] and shown(app)["phase"] == "idle"


def test_a_server_that_allows_no_training_says_so(monkeypatch):
    monkeypatch.setenv("VAE_TRAINING", "off")
    sent = shown(start("train"))
    assert not sent["can_start"] and "does not allow" in sent["status"] and sent["frames"], "the example stays"


def test_a_training_that_cannot_start_is_told(monkeypatch):
    monkeypatch.setattr(Recorded, "allowed", False)
    app = start("train")
    assert "The queue is full." in act(app, "start")["status"]
    assert shown(app)["can_start"], "another try may succeed"


# ---- sessions


def test_a_reloaded_page_finds_its_training_and_other_visitors_do_not(monkeypatch):
    app = start("train")
    begun(app).show(4)
    film = shown(app)["film"]
    sent = shown(start("train"))
    assert sent["film"] == film and len(sent["frames"]) == 4 and sent["phase"] == "running"
    monkeypatch.setattr(own, "visitor", lambda: "another")
    assert shown(start("train"))["film"] == panel.EXAMPLE


def test_a_training_goes_on_while_its_visitor_is_connected(monkeypatch):
    training = begun(start("train"))
    seen = training.times_seen
    visitors.look()
    assert training.times_seen == seen
    monkeypatch.setattr(visitors, "is_connected", lambda session: True)
    visitors.look()
    assert training.times_seen == seen + 1
    training.state = "finished"
    visitors.look()
    assert training.times_seen == seen + 1, "the film of a training is not kept for ever"


def test_a_new_training_takes_the_place_of_the_last_one():
    app = start("train")
    first = begun(app)
    film = shown(app)["film"]
    act(app, "stop")
    assert begun(app) is not first and shown(app)["film"] not in (film, panel.EXAMPLE)
    act(app, "stop", film=film)
    assert Recorded.of_owner["me"].state == "running", "the button belonged to the first one"


def test_the_page_shows_the_command_and_the_code_that_ran():
    app = start("train")
    begun(app)
    texts = [code.value for code in app.code]
    assert any(text.startswith("python -m vae train") for text in texts)
    assert any("def elbo(" in text for text in texts) and any("def encode(" in text for text in texts)


def test_choices_are_there_again_after_a_visit_to_another_page():
    app = start("train", train_dims="16", train_family="autoencoder")
    assert app.selectbox(key="train_dims").value == 16 and not shown(app)["has_beta"]
    app.number_input(key="train_seed").set_value(7).run()
    app.switch_page("pages/glossary.py").run()
    app.switch_page("pages/train.py").run()
    assert app.selectbox(key="train_dims").value == 16 and app.number_input(key="train_seed").value == 7
    assert app.selectbox(key="train_family").value == "autoencoder"


@pytest.fixture
def adopted(monkeypatch):
    """The folders of models that were added to the visitor's own; a shipped model stands for each."""
    folders = []
    monkeypatch.setattr(own, "adopt", lambda folder: folders.append(folder) or "mnist-vae-16d")
    monkeypatch.setattr(Recorded, "result", lambda self: Path("a-result"))
    return folders


def test_a_finished_model_is_adopted_once_and_can_be_opened(adopted):
    app = start("train")
    begun(app).state = "finished"
    app.run()
    app.run()
    assert adopted == [Path("a-result")] and app.session_state.model == "mnist-vae-16d"
    assert not start().toast and len(adopted) == 1, "a reload adds no second copy"
    app.button(key="train_open_map").click().run()
    assert app.session_state.model == "mnist-vae-16d" and app.session_state.next_page == "pages/map.py"


def test_a_model_is_adopted_on_any_page_which_keeps_its_own(adopted):
    training = begun(start("train"))
    assert not start().toast and not adopted
    training.state = "finished"
    app = start()
    assert len(adopted) == 1 and app.session_state.model == "mnist-vae-2d"
    assert ["in the model picker" in toast.value for toast in app.toast] == [True]
    assert not start().toast and len(adopted) == 1, "it is said once"
    app.switch_page("pages/train.py").run()
    assert len(adopted) == 1 and app.session_state.model == "mnist-vae-16d"
    app.session_state.model = "mnist-cvae"
    app.run()
    assert app.session_state.model == "mnist-cvae", "another choice stays"


def test_a_model_that_cannot_be_kept_is_told_on_train_and_tried_there_again(adopted, monkeypatch):
    tries = []

    def refuse(folder):
        tries.append(folder)
        raise OSError("the disk is full")

    monkeypatch.setattr(own, "adopt", refuse)
    begun(start("train")).state = "finished"
    app = start()
    app.run()
    assert len(tries) == 1 and not app.toast and not app.exception
    app.switch_page("pages/train.py").run()
    assert len(tries) == 2 and [w.value for w in app.warning] == ["The model cannot be kept: the disk is full."]
    monkeypatch.setattr(own, "adopt", lambda folder: "mnist-vae-16d")
    app.run()
    assert not app.warning and app.session_state.model == "mnist-vae-16d"


@pytest.fixture
def boxes(tmp_path, monkeypatch):
    """The folder of a data set of the visitor's."""
    source = own_data.open_source([("a.zip", zipped(named(120)))])
    folder = tmp_path / "data" / "boxes"
    own_data.build(source, own_data.check(source, 28), folder, "My boxes", 28)
    monkeypatch.setattr(own, "root", lambda: tmp_path)
    return folder


def test_own_images_are_offered_and_a_training_outlives_them(boxes):
    app = start("train", train_data="boxes")
    assert app.selectbox(key="train_data").options[0] == "My boxes"
    training = begun(app)
    assert training.plan.data == "boxes" and training.data_folder == boxes
    shutil.rmtree(boxes)
    app.run()
    assert not app.exception and "My boxes" in shown(app)["status"]
    act(app, "stop")
    assert app.selectbox(key="train_data").value == "mnist"


def test_own_images_are_deleted_after_a_second_press(boxes):
    app = start("train", train_data="boxes")
    for button in ("train_own_delete", "train_own_keep", "train_own_delete"):
        app.button(key=button).click().run()
        assert boxes.exists()
    app.button(key="train_own_delete_now").click().run()
    assert not boxes.exists() and not app.exception and app.selectbox(key="train_data").value == "mnist"
    assert "My boxes" not in app.selectbox(key="train_data").options
    assert not [button for button in app.button if button.key == "train_own_delete"], "shipped images stay"
