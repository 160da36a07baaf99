"""More data: images that a model imagines, and whether a classifier gains by them."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from vae.evaluation import downstream

from ..shell import cached, state
from ..widgets import charts, exports
from ..widgets.picture_grid import picture_grid

NEEDS = "Classifiers have been trained with the images of two plain VAEs and of the conditional models of digits."
SHOWN = 8


def models() -> list[str]:
    cards = cached.zoo_scan()[0]
    found = [name for name, card in cards.items() if {"augmentation", "accuracy_from_samples"} & card.figures.keys()]
    return sorted(found, key=lambda name: "augmentation" not in cards[name].figures)


def show() -> None:
    card, model = state.card(), state.model()
    if "augmentation" in card.figures:
        _variants(card, model)
    else:
        _samples(card, model)


def _variants(card, model) -> None:
    split = cached.gallery(card.data)
    classes = cached.info(card.data).classes
    label = st.segmented_control(
        "Class", range(len(classes)), default=3, required=True, key="augment_class", format_func=lambda k: classes[k]
    )
    rows = np.flatnonzero(split.labels == label)[:SHOWN]
    x, y = split.batch(rows)
    imagined = downstream.imagined(model, x, y, torch.Generator().manual_seed(state.seed()), share=1.0)
    shifted = downstream.shifted(x, downstream.SHIFT, torch.Generator().manual_seed(state.seed()))
    picture_grid(
        torch.cat([x, shifted, imagined]),
        [f"{what} {i + 1}" for what in ("image", "shifted", "imagined") for i in range(SHOWN)],
        key="augment_pictures", columns=SHOWN, row_labels=["images", "shifted", "imagined"],
        size=72, name="images, shifted and imagined",
    )  # fmt: skip
    st.caption(
        f"Held-out images; the same, shifted by up to {downstream.SHIFT} pixels; and decoded points between the code "
        f"of each and "
        "that of another of its class."
    )
    exports.download_sheet(torch.cat([x, shifted, imagined]), SHOWN, "imagined", "augment_png")
    found = card.figures["augmentation"]
    names = list(dict.fromkeys(key.split(" ", 1)[1] for key in found))
    st.plotly_chart(
        charts.accuracy_lines(list(downstream.LABELS),
            {name: [found[f"{n} {name}"] for n in downstream.LABELS] for name in names},
            {name: [card.figures["augmentation_error"][f"{n} {name}"] for n in downstream.LABELS] for name in names},
        ),
        config=charts.CONFIG, key="augment_accuracy", alt="accuracy against the number of labels",
    )  # fmt: skip
    few = downstream.LABELS[1]
    gains = ", ".join(
        f"**{100 * (found[f'{few} {name}'] - found[f'{few} alone']):+.1f}** points ({name})" for name in names[1:]
    )
    st.markdown(
        f"With {few} labels the accuracy changes by {gains}. Whether a classifier gains by a model's images has to be "
        "measured: it is another answer for other data."
    )
    st.caption(
        f"From the card, by `python -m vae evaluate {card.name}`: {card.protocol['augmentation']}. Bars: standard "
        f"errors over choices of labels."
    )


def _samples(card, model) -> None:
    ys = torch.arange(model.num_classes).repeat_interleave(SHOWN // 2)
    zs = model.sample(len(ys), generator=torch.Generator().manual_seed(state.seed()))
    classes = cached.info(card.data).classes
    picture_grid(
        state.decode(zs, ys), [f"{classes[int(k)]}, drawn" for k in ys], key="augment_draws", columns=SHOWN,
        size=72, name="draws of each class",
    )  # fmt: skip
    names = ["learnt from its draws alone"]
    values = [card.figures["accuracy_from_samples"]]
    if "accuracy_labels_alone" in card.figures:
        names.append(f"learnt from {downstream.FEW} labelled images")
        values.append(card.figures["accuracy_labels_alone"])
    classifier = cached.classifier(card.data)
    if classifier is not None:
        names.append("learnt from all training images")
        values.append(classifier.accuracy[0])
    st.plotly_chart(
        charts.accuracies(names, values), config=charts.CONFIG, key="augment_samples", alt="accuracy of classifiers"
    )
    st.caption(
        f"How much of the data a model's draws hold: accuracy on test images. From the card: "
        f"{card.protocol['accuracy_from_samples']}."
    )
