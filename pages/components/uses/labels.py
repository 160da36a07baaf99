"""Few labels: the accuracy of models trained on many images and a hundred labels."""

from __future__ import annotations

import streamlit as st
import torch

from vae.evaluation import downstream

from ..shell import cached, state
from ..shell.glossary import explain
from ..widgets import charts, exports
from ..widgets.image_input import image_input
from ..widgets.picture_grid import picture_grid

UNSURE = 437  # the first image: a test image that M2 classifies with low confidence
SETTINGS = {"labels_image": ("int", 0, 9999)}
NEEDS = "few-label accuracy"


def models() -> list[str]:
    cards = cached.zoo_scan()[0]
    names = [name for name, card in cards.items() if {"accuracy_codes", "accuracy_labels_alone"} & card.figures.keys()]
    return sorted(names, key=lambda name: name != "mnist-m2")


def show() -> None:
    card, model = state.card(), state.model()
    info = cached.info(card.data)
    if model.classifies:
        left, right = st.columns([1, 2], gap="large")
        given = left.container()
        with left.popover("Choose an image"):
            picked = image_input("labels_image", start_row=UNSURE)
        with torch.no_grad():
            probabilities = model.classify(picked.x).exp()[0]
            ys = torch.arange(model.num_classes)
            best = int(probabilities.argmax())
            z = picked._replace(label=best).encode()[None]
            styles = model.decode(z.repeat(model.num_classes, 1), ys)
        with given:
            picture_grid(
                picked.x, [picked.caption], key="labels_given", columns=1, size=220, captions=[picked.caption],
                name="the image",
            )  # fmt: skip
        with right:
            if state.finite(probabilities):
                st.plotly_chart(
                    charts.probabilities(list(info.classes), probabilities.numpy()), config=charts.CONFIG,
                    key="labels_chart", alt="probability of each class",
                )  # fmt: skip
            else:
                st.warning(state.not_finite_message())
            st.caption(explain(f"q(y|x), trained with {downstream.FEW} labels and the ELBO of all images."))
        st.markdown("**One z in every class.** z encodes the style, y the class.")
        picture_grid(
            styles, [f"as {name}" for name in info.classes], key="labels_styles", size=84,
            captions=list(info.classes), name="the same z in every class",
        )  # fmt: skip
    st.header(f"Accuracy with {downstream.FEW} labels")
    names, values = _accuracies(card.data)
    st.plotly_chart(
        charts.accuracies(names, values), config=charts.CONFIG, key="labels_accuracy", alt="accuracy with few labels"
    )
    exports.download(
        "Accuracies (CSV)",
        lambda: ("classifier,accuracy\n" + "".join(f'"{n}",{v:.4f}\n' for n,
            v in zip(names, values, strict=False))).encode(),
        f"{card.data}-{downstream.FEW}-labels.csv", "text/csv", key="labels_csv",
    )  # fmt: skip
    errors = [card.figures.get("accuracy_labels_alone_error") for card in _cards(card.data)]
    spread = "".join(
        f" The accuracy of the augmented classifier has a standard error of {100 * error:.1f} points, over "
        f"{downstream.REPEATS} choices of the labelled images."
        for error in errors if error is not None
    )  # fmt: skip
    st.caption(f"Measured by `python -m vae evaluate`.{spread} Each model's **About** gives the protocol.")


def _cards(data: str) -> list:
    return [cached.zoo_scan()[0][name] for name in models() if cached.zoo_scan()[0][name].data == data]


def _accuracies(data: str) -> tuple[list[str], list[float]]:
    accuracies = {}
    for card in _cards(data):
        figures = card.figures
        if "accuracy_labels_alone" in figures:
            accuracies[f"{card.title}: q(y|x)"] = figures["accuracy_with_model"]
            accuracies["same classifier, labelled images only, augmented"] = figures["accuracy_labels_alone"]
        if "accuracy_codes" in figures:
            accuracies[f"{card.title}: linear classifier on z"] = figures["accuracy_codes"]
            accuracies["linear classifier on pixels"] = figures["accuracy_pixels"]
    names = sorted(accuracies, key=accuracies.get)
    return names, [accuracies[name] for name in names]
