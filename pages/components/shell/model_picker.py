"""The row on top of every page: which model is looked at, and what it is."""

from __future__ import annotations

import streamlit as st

from vae import objectives
from vae.evaluation import report

from . import cached, state
from .navigation import ensure_front_door


def model_picker() -> None:
    """Choose the model; says what it is and what its figures are."""
    ensure_front_door()
    cards, problems = cached.zoo_scan()
    names = list(cards)
    current = st.session_state.model
    # the link or another page may have chosen: the widget follows the state
    st.session_state["model_picker"] = current
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    row = left.container(horizontal=True, vertical_alignment="bottom")
    row.selectbox(
        "Model",
        names,
        key="model_picker",
        format_func=lambda name: cards[name].title,
        on_change=lambda: state.set_model(st.session_state["model_picker"]),
    )
    card = state.card()
    with right.container(gap=None):
        st.caption(card.description)
        st.container(key="model_figures").caption(figures_sentence(card))
    with row.popover("About", help="this model: its figures, recipe and licence"):
        about(card)
    if problems:
        with row.popover(f"{len(problems)} unavailable"):
            for name, reason in problems.items():
                st.write(f"**{name}**: {reason}.")


def choose_one(names: list[str]) -> None:
    """A button to the first of the models that the page can serve, where the current one is none."""
    st.button("Choose one", type="primary", on_click=state.set_model, args=tuple(names[:1]), disabled=not names)


FIGURES = {  # a figure's name on its card, and what the field calls it
    "recon": "reconstruction, nats",
    "kl": "KL, nats",
    "negative_elbo": "negative ELBO, nats",
    "active_units": "active units",
    "mig": "mutual information gap",
    "sap": "SAP",
    "modularity": "modularity",
    "dci": "DCI disentanglement",
    "dci_completeness": "DCI completeness",
    "dci_informativeness": "DCI informativeness",
    "factor_vae_score": "FactorVAE score",
    "beta_vae_score": "beta-VAE score",
    "total_correlation": "total correlation, nats",
    "nll": "NLL by importance sampling, nats",
    "accuracy": "test accuracy of its classifier",
    "accuracy_with_model": "accuracy on the images that the same labels alone are judged on",
    "accuracy_codes": "accuracy with 100 labels, linear on codes",
    "accuracy_from_samples": "accuracy of a classifier that learnt from its draws alone",
    "psnr_denoised": "PSNR of denoised digits, dB",
    "codes_used": "codes used",
    "perplexity": "perplexity of the codes",
    "sample_confidence": "a classifier's confidence in its draws",
    "style_distance": "style distance (0 best, 1 none kept)",
    "style_retrieval": "style found again",
    "sharpness": "sharpness of reconstructions",
    "attribute_flips_least": "faces that an attribute's direction flips, the least",
}


BASELINES = {  # what a figure is held against, where it is not random codes
    "accuracy_with_model": ("accuracy_labels_alone", "its classifier, labels alone"),
    "accuracy_codes": ("accuracy_pixels", "on pixels"),
    "psnr_denoised": ("psnr_mean_image", "the mean image"),
    "style_distance": ("style_distance_permuted", "another style's z"),
    "style_retrieval": ("style_retrieval_permuted", "another style's z"),
    "sample_confidence": ("test_confidence", "test images"),
    "sharpness": ("sharpness_of_images", "the images"),
}


def about(card) -> None:
    """The model's card: figures with what they are held against, how they were measured, the recipe."""
    rows = ["| figure | this model | to hold against it |", "|---|---|---|"]
    for key, title in FIGURES.items():
        if key in card.figures:
            other, what = BASELINES.get(key, (f"{key}_random", "random codes"))
            value, beside = card.figures[key], card.figures.get(other)
            digits = ".3f" if other.endswith("_random") and beside is not None or key.startswith("dci") else ".4g"
            held = "" if beside is None else f"{beside:{digits}} ({what})"
            rows.append(f"| {title} | {value:{digits}} | {held} |")
    st.markdown("\n".join(rows))
    chosen = report.selection_sentence(card.selection)
    for text in (card.note, f"Settings and seed: {chosen}." if chosen else "", f"Published: {card.published}" if card.published else ""):
        if text:
            st.markdown(text)
    measured = [f"{FIGURES.get(key, key)}: {text}" for key, text in card.protocol.items()]
    st.caption("**How it was measured.** " + "; ".join(measured) + ".")
    objective = objectives.read(card.recipe)
    of_objective = ("objective", *objectives.FLAT_FIELDS)
    trained = [f"{k} {v}" for k, v in card.recipe.items() if k not in of_objective and (k == "seed" or v not in (0, "no", "", False))]
    trained.append(f"objective {objective.described()}")
    st.caption("**Trained with** " + ", ".join(trained) + ".")
    st.caption(f"`{card.name}` · {card.licence}")


def figures_sentence(card) -> str:
    """A card's figures in a line; every number comes from the card."""
    f = card.figures
    if "recon" not in f:
        return "Not evaluated yet."
    least = f" (at best {f['recon_floor']:.1f}, pixels lying between 0 and 1)" if f.get("recon_floor", 0) > 1 else ""
    parts = [f"reconstruction {f['recon']:.1f} nats{least}"]
    if "kl" in f:
        parts.append(f"KL {f['kl']:.1f} nats")
        given = ", a bound on -log p(x|y), the class given" if card.config.get("num_classes") else ""
        parts.append(f"together {f['negative_elbo']:.1f}{given}")
    if "nll" in f:
        parts.append(f"NLL {f['nll']:.2f}")
    if "active_units" in f:
        parts.append(f"{f['active_units']} of {card.latent_dim} dimensions active")
    if "codes_used" in f:
        parts.append(f"{f['codes_used']} of {card.config['codebook']} codes used, perplexity {f['perplexity']:.0f}")
    if "accuracy" in f:
        parts.append(f"{100 * f['accuracy']:.1f} % of labels right")
    if "mig" in f:
        parts.append(
            f"MIG {f['mig']:.2f} (mean codes in 20 bins; random codes {f['mig_random']:.2f})"
        )
    return f"On {f['test_images']:,} test images: " + ", ".join(parts) + "."


def class_picker() -> None:
    """The class of a conditional model, z held."""
    model = state.model()
    if not model.num_classes:
        return
    classes = cached.info(model.card.data).classes
    st.session_state["class_picker"] = st.session_state.y
    st.segmented_control(
        f"Class, one of {model.num_classes} (the picture changes, z stays)",
        range(model.num_classes),
        key="class_picker",
        required=True,
        format_func=lambda label: classes[label],
        on_change=lambda: state.set_y(st.session_state["class_picker"]),
    )
