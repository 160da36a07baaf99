"""The panel of a training: the widget, its buttons, and the snapshots that it is sent."""

from __future__ import annotations

import streamlit as st

from vae import live
from vae.data import DATASETS, DatasetInfo
from vae.jobs import JobError
from vae.live import props
from vae.live.control import COMMANDS

from ..bridge.component import widget
from ..bridge.messages import sent
from ..bridge.rerun import request_rerun, rerun_if_requested
from ..shell import settings
from ..shell.parse import parse_int, parse_number, parse_object
from . import example, visitor
from .choices import Choice

_component = widget("training")
KEY = "train_panel"
SENT = "train_sent"  # in the session: (film, step of the last snapshot sent)
REFUSED = "train_refused"  # in the session: why the last training could not start
INTERVAL = 0.25  # seconds between two updates
BETAS = (0, 0.1, 0.2, 0.5, 1, 2, 4, 8, 16, 32, 64)
EXAMPLE = "example"  # the film that is shown before there is another
MAX_STEP = 10**9


def training_panel(choice: Choice) -> None:
    """Show the session's training, or the recorded example before there is one. choice: of the next training."""
    st.session_state.setdefault("train_beta", 1.0)
    if settings.take("train_beta"):
        st.session_state.train_beta_version = _beta_version() + 1
    updates = visitor.is_live(visitor.training())
    st.fragment(_panel, run_every=INTERVAL if updates else None)(choice, updates)


def _panel(choice: Choice, updates: bool) -> None:
    """updates: whether the fragment runs by itself. Where that changes, the whole page runs."""
    rerun_if_requested(KEY)
    training = visitor.training()
    if visitor.is_live(training) != updates:
        st.rerun()
    _component(
        key=KEY,
        data={**_shown(training), **_controls(choice, training)},
        on_act_change=lambda: _act(choice), on_beta_change=_set_beta, on_missing_change=_send_again,
    )  # fmt: skip


# ---- what is shown


def _shown(training: live.Training | None) -> dict:
    """Return the training's scene, curves and those snapshots that the browser has not been sent."""
    source: live.Training | example.Recording = training if training is not None else example.recording()
    film = _film(training)
    plan = example.PLAN if training is None else training.plan
    frames = source.frames()
    sent_film, after = st.session_state.get(SENT, ("", -1))
    if sent_film != film:
        after = -1
    st.session_state[SENT] = (film, frames[-1].step if frames else -1)
    return {
        "film": film, "has_kl": plan.family != "autoencoder",
        **props.scene(source.scene, _info(training)), "curve": props.curve(source.curve()),
        "steps": [frame.step for frame in frames],
        "frames": [props.frame(frame) for frame in frames if frame.step > after],
    }  # fmt: skip


def _info(training: live.Training | None) -> DatasetInfo:
    return DATASETS[example.PLAN.data] if training is None else visitor.info_of(training)


def _controls(choice: Choice, training: live.Training | None) -> dict:
    """Return the state of the buttons and of beta, and the sentence above the picture."""
    state = training.state if training is not None else ""
    plan = training.plan if training is not None and visitor.is_live(training) else choice.plan
    return {
        "phase": "paused" if state == "paused" else "running" if visitor.is_live(training) else "idle",
        "can_start": not choice.refusal, "can_act": state in ("running", "paused"),
        "can_stop": state in ("queued", "starting", "running", "paused"),
        "has_beta": live.FAMILIES[plan.family].has_beta, "status": _status(choice, training),
        "betas": BETAS, "beta": st.session_state.train_beta, "beta_version": _beta_version(),
    }  # fmt: skip


def _status(choice: Choice, training: live.Training | None) -> str:
    refusal = choice.refusal or st.session_state.get(REFUSED, "")
    if refusal and not visitor.is_live(training):
        return refusal
    if training is None:
        return _about_example()
    if training.state == "queued":
        return f"This server trains one model at a time. Trainings before yours: {training.place}."
    share = f"{100 * training.progress:.0f} %"
    if training.state == "finishing":
        return f"The training is over. Next come the figures and the map: {training.stage}, {share}."
    return {
        "starting": "Starting: the images are read and the networks are built.",
        "running": f"Training on {_info(training).title}: {share} done.",
        "paused": "Paused. One batch is one step; one epoch passes once over the training images.",
        "finished": "Finished. Your model is in the model picker of every page.",
    }.get(training.state, "") + f" {training.sentence} {training.warning}".rstrip()


def _about_example() -> str:
    recording, noun = example.recording(), _info(None).noun
    steps, images = recording.frames()[-1].step, recording.scene.train_images
    return f"A recorded example: {steps:,} steps on {images:,} {noun}. Press Start training to train your own model."


def _beta_version() -> int:
    """Return a number that changes when a link or a lesson sets beta, which then moves the slider."""
    return st.session_state.get("train_beta_version", 0)


# ---- what the visitor does


def _payload(event: str) -> dict | None:
    """Return what the browser sent with an event; None if it is about another training."""
    return parse_object(sent(KEY, event), film=_film(visitor.training()))


def _film(training: live.Training | None) -> str:
    return EXAMPLE if training is None else visitor.id_of(training)


def _act(choice: Choice) -> None:
    fields = _payload("act")
    if fields is None:
        return
    training, action = visitor.training(), fields.get("action")
    if action == "start" and not visitor.is_live(training):
        _start(choice, fields.get("beta"))
    elif training is not None and action in COMMANDS:
        training.send(action)
    request_rerun(KEY)


def _start(choice: Choice, beta: object) -> None:
    value = parse_number(beta, BETAS[0], BETAS[-1])
    st.session_state.train_beta = 1.0 if value is None else value
    st.session_state.pop(REFUSED, None)
    try:
        visitor.begin(choice.at(st.session_state.train_beta), choice.info)
    except JobError as error:
        st.session_state[REFUSED] = str(error)


def _set_beta() -> None:
    fields, training = _payload("beta"), visitor.training()
    value = parse_number(fields.get("value"), BETAS[0], BETAS[-1]) if fields else None
    if value is not None and training is not None:
        st.session_state.train_beta = value
        training.set_beta(value)


def _send_again() -> None:
    """Send the snapshots after a step again: the component may have been remounted, or a message lost."""
    fields = _payload("missing")
    after = parse_int(fields.get("after"), -1, MAX_STEP) if fields else None
    if fields is not None and after is not None:
        st.session_state[SENT] = (fields["film"], after)
