"""Disentangle: how latent dimensions relate to true factors, with disentanglement metrics."""

import numpy as np
import streamlit as st
import torch

from pages.components.disentangle import answers, factors
from pages.components.shell import cached, link, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import model_picker
from pages.components.widgets import charts
from pages.components.widgets.figure_column import figure_column
from pages.components.widgets.heat_map import heat_map
from pages.components.widgets.picture_grid import picture_grid
from vae import latent
from vae.data import pictures
from vae.data.base import FactorGrid
from vae.evaluation import report
from vae.evaluation.figures import FIGURES

PLACE = 60  # order in the navigation
GROUP = "Measure"
PARTS = {
    "heat_map": "disentangle_heat", "responses": "disentangle_responses", "strips": "disentangle_strips",
    "table": "disentangle_models", "sweep": "disentangle_sweep", "trade_off": "disentangle_trade_off",
}  # fmt: skip

STEPS = 9  # pictures in a strip

st.title("Disentangle")
st.markdown("**Change a ground-truth factor** and see which dimensions of z change.")
model_picker(serves=factors.known, instead="rooms-ada", needs="data with ground-truth factors and a continuous z")
model, card, images = state.model(), state.card(), factors.images()
RENDERED = isinstance(images, FactorGrid)  # or stored, and not of every combination of factors
LEFT = "rendered from" if RENDERED else "the test image nearest to"
OTHERS = "holds the others fixed" if RENDERED else "shows test images that differ least in the others"

truth, exact = factors.current()


def set_factor(k: int) -> None:
    changed = truth.copy()
    changed[k] = images.values[k].index(st.session_state[f"factor_{card.data}_{k}"])
    state.set_factors(images.nearest(changed, k))


left, right = st.columns([2, 3], gap="large")
with left:
    pair = torch.cat([state.render(truth[None]), state.decode(state.z()[None])])
    sheet = pictures.tile(state.as_pictures(pair), 2, gap=2)
    st.image(
        pictures.to_image(sheet, 4), width="stretch", output_format="PNG",
        caption=f"left: {LEFT} the factors below; right: decoded from z",
        alt="the image with these factors, and the image decoded from z",
    )  # fmt: skip
    if not state.finite(pair):
        st.warning(state.not_finite_message("for the current z"))
    if not exact:
        st.caption(
            f"This z is not the code of a {'rendered' if RENDERED else 'test'} image. The factors are those of the "
            "nearest test image."
        )
    for k, name in enumerate(images.names):
        key = f"factor_{card.data}_{k}"
        st.session_state[key] = images.values[k][truth[k]]
        if len(images.values[k]) > 1:
            st.select_slider(name, images.values[k], key=key, on_change=set_factor, args=(k,))
with right:
    sweeps = [images.sweep(truth, k) for k in range(len(images.names))]
    codes = state.encode(state.render(np.concatenate(sweeps))).numpy()
    codes = np.split(codes, np.cumsum([len(sweep) for sweep in sweeps])[:-1])
    names = [state.dim_name(d) for d in range(model.latent_dim)]
    if state.finite(*codes):
        st.plotly_chart(
            charts.factor_responses(
                codes, [sweep[:, k] for k, sweep in enumerate(sweeps)], truth, images.names, names
            ),
            key="disentangle_responses", config=charts.CONFIG,
            alt="the change of each dimension as one factor varies",
        )  # fmt: skip
    else:
        st.warning(state.not_finite_message("for one of these images"))
    st.caption(
        explain(
            f"Each panel varies one factor and {OTHERS}. Each line is one dimension of the posterior "
            "mean. The coloured line changes most. In a disentangled code, each factor changes one dimension. The "
            "dotted line marks the image on the left."
        )
    )

answers.show(card)

st.header("Which dimension encodes which factor")
if "mutual_information" not in card.figures:
    st.info(
        f"This model is not measured yet. Run `python -m vae evaluate {card.name}`."
        if RENDERED
        else "This model has no disentanglement scores: there are too few test images of one of the factors' values."
    )
    link.end_page()
order = cached.dimension_order(card.name)
entropies = np.array(card.figures["factor_entropy"])
varying = np.flatnonzero(entropies > 0)  # a constant factor has no information to encode
constant = [name for k, name in enumerate(images.names) if k not in varying]
information = np.array(card.figures["mutual_information"])[order].T  # (K, D), the dimension with the highest KL first
shares = information[varying] / entropies[varying, None]
cell = st.session_state.get("disentangle_cell", {}).get(card.name)
if cell is None:
    cell = tuple(int(i) for i in np.unravel_index(shares.argmax(), shares.shape))


def pick(k: int, column: int) -> None:
    st.session_state.setdefault("disentangle_cell", {})[card.name] = (k, column)


heat_map(
    shares, [images.names[k] for k in varying], [names[d] for d in order], key="disentangle_heat", on_pick=pick,
    selected=cell, name="mutual information between factors and dimensions",
)  # fmt: skip
mig = FIGURES["mig"]
gaps = ", ".join(f"{images.names[k]} {card.figures['mig_gaps'][k]:.2f}" for k in varying)
st.caption(
    explain(
        "Select a cell to see its factor and dimension below. Each cell is the mutual information as a share of the "
        f"factor's entropy. The {mig.label}, {mig.text(card.figures['mig'])}, is the mean gap between the two largest "
        f"cells of each row. The gaps are {gaps}. Random codes have {mig.text(card.figures['mig_random'])}. Protocol: "
        f"{card.protocol['mig']}." + (f" Constant factors are not shown: {', '.join(constant)}." if constant else "")
    )
)
k, d = int(varying[cell[0]]), order[cell[1]]
sweep = images.sweep(truth, k)
rows = sweep[np.unique(np.linspace(0, len(sweep) - 1, STEPS).round().astype(int))]
values = torch.from_numpy(np.linspace(*cached.slider_ranges(card.name)[d], len(rows)).astype(np.float32))
traversal = latent.traversal(state.z(), d, values)


def select(index: int) -> None:
    if index < len(rows):
        state.set_factors(rows[index])
    else:
        state.set_z(traversal[index - len(rows)])


picture_grid(
    torch.cat([state.render(rows), state.decode(traversal)]),
    [f"{images.names[k]} {images.values[k][v]}, ground truth" for v in rows[:, k]]
    + [f"{names[d]} = {value:.2f}" for value in values.tolist()],
    key="disentangle_strips", on_pick=select, columns=len(rows), size=96,
    row_labels=[f"{images.names[k]},\nground truth", f"{names[d]},\nmodel"], name="ground truth and model",
)  # fmt: skip

st.header(f"All models of {cached.info(card.data).title.lower()}")
cards = [c for c in cached.zoo_scan()[0].values() if c.data == card.data and "mig" in c.figures]
measured = report.of_group("disentanglement", cards)
# a dataframe alone has no class of its key, by which a lesson could point at it
st.container(key="disentangle_models").dataframe(
    {
        "model": [("→ " if c.name == card.name else "") + c.title for c in cards] + ["random codes"],
        **{
            figure.title: [c.figures.get(figure.key) for c in cards] + [card.figures.get(figure.baseline)]
            for figure in measured
        },
        "training images seen": [c.recipe.get("steps", 0) * c.recipe.get("batch_size", 0) for c in cards] + [None],
    },
    column_config={
        **{figure.title: figure_column(figure) for figure in measured},
        "training images seen": st.column_config.NumberColumn(format="localized"),
    },
    hide_index=True,
    height="content",
    key="disentangle_table",
    placeholder="–",
)
st.caption(
    "– means not measured. **How it was measured.** "
    + " ".join(f"{f.label}: {card.protocol[f.key]}." for f in measured if f.key in card.protocol)
)
sweep = factors.beta_sweep(cards)
if sweep:
    st.plotly_chart(
        charts.over_beta(
            [cached.beta(c) for c in sweep],
            {
                FIGURES[key].title: [c.figures[key] for c in sweep] for key in ("mig", "kl", "recon")
            },
        ),
        key="disentangle_sweep", config=charts.CONFIG, alt="MIG, KL and reconstruction error over beta",
    )  # fmt: skip
    st.caption(
        f"These {len(sweep)} models differ only in beta. Their recipe and seed are the same. With one seed each, "
        "small differences may be due to chance."
    )
    st.page_link("pages/compare.py", label="Compare these models side by side")
with_kl = [c for c in cards if "kl" in c.figures]
st.plotly_chart(
    charts.trade_off(
        # of "Sprites, VAE, 10-D" only the middle, because data and dimensions are the same for all
        [", ".join(c.title.split(", ")[1:-1]) or c.title for c in with_kl],
        [c.figures["kl"] for c in with_kl],
        [c.figures["recon"] for c in with_kl], [c.figures["mig"] for c in with_kl],
        [report.disentanglement_scores(c) for c in with_kl],
        next((i for i, c in enumerate(with_kl) if c.name == card.name), None),
    ),
    key="disentangle_trade_off", config=charts.CONFIG, alt="reconstruction error against KL, coloured by MIG",
)  # fmt: skip
st.caption(
    explain(
        "Each point is a trained model: its KL against its reconstruction error, coloured by MIG. Its tooltip has all "
        f"scores. All are measured on {card.figures['test_images']:,} test images. An autoencoder has no KL and "
        "is not shown."
    )
)
