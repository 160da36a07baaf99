"""Disentangle: how latent dimensions relate to true factors, with disentanglement metrics."""

import numpy as np
import streamlit as st
import torch

from pages.components.disentangle import factors
from pages.components.shell import cached, link, pictures, state
from pages.components.shell.model_picker import model_picker, switch_model_button
from pages.components.widgets import charts
from pages.components.widgets.figure_column import figure_column
from pages.components.widgets.heat_map import heat_map
from pages.components.widgets.picture_grid import picture_grid
from vae import latent, metrics
from vae.evaluation import report
from vae.evaluation.figures import FIGURES

PLACE = 60  # order in the navigation
GROUP = "Measure"

STEPS = 9  # pictures in a strip

st.title("Disentangle")
st.markdown(
    "**Move a true factor** and watch which numbers of the code answer. In a disentangled code one "
    "factor moves one number."
)
model_picker()
model, card, grid = state.model(), state.card(), factors.grid()

if model.discrete:
    st.info(
        "This code is a grid of whole numbers that name vectors: no factor can move one of them up or "
        "down, so there is nothing to hold against the factors one by one."
    )
    st.page_link("pages/sliders.py", label="Its grid of codes, on Sliders")
    st.page_link("pages/map.py", label="Where its images lie, on Map")
    link.end_page()

if grid is None:
    st.info(
        f"{cached.info(card.data).title} has no known factors, so nothing can be held against the "
        "truth. Models of sprites, rooms and faces are held against the factors they are drawn from."
    )
    switch_model_button([c.name for c in cached.zoo_scan()[0].values() if cached.info(c.data).grid is not None])
    st.page_link("pages/sliders.py", label="Traversals of this model, on Sliders")
    encoded = cached.model_map(card.name)
    if encoded is not None:
        tc, figure = metrics.total_correlation(encoded.codes), FIGURES["total_correlation"]
        st.metric(f"{figure.label} of its codes", f"{figure.text(tc.total_correlation)} {figure.unit}")
        st.caption(f"{tc.protocol}. It needs no factors: 0 where no dimension tells anything linear about the others.")
    link.end_page()

truth, exact = factors.current()


def set_factor(k: int) -> None:
    changed = truth.copy()
    changed[k] = grid.values[k].index(st.session_state[f"factor_{card.data}_{k}"])
    state.set_factors(changed)


left, right = st.columns([2, 3], gap="large")
with left:
    images = torch.cat([state.render(truth[None]), state.decode(state.z()[None])])
    sheet = pictures.tile(state.as_pictures(images), 2, gap=2)
    st.image(
        pictures.to_image(sheet, 4), width="stretch", output_format="PNG",
        caption="drawn from the factors below · decoded from the current point",
        alt="the image with these factors, and the current point decoded",
    )  # fmt: skip
    if not state.finite(images):
        st.warning(state.not_finite_message("at the current point"))
    if not exact:
        st.caption("The point came from elsewhere: these are the factors of the nearest held-out image.")
    for k, name in enumerate(grid.names):
        key = f"factor_{card.data}_{k}"
        st.session_state[key] = grid.values[k][truth[k]]
        st.select_slider(name, grid.values[k], key=key, on_change=set_factor, args=(k,))
with right:
    sweeps = [grid.sweep(truth, k) for k in range(len(grid.names))]
    codes = state.encode(state.render(np.concatenate(sweeps))).numpy()
    codes = np.split(codes, np.cumsum([len(sweep) for sweep in sweeps])[:-1])
    names = [state.dim_name(d) for d in range(model.latent_dim)]
    if state.finite(*codes):
        st.plotly_chart(
            charts.factor_responses(codes, truth, grid.names, names), key="disentangle_responses",
            config=charts.CONFIG, alt="how each dimension answers when one factor moves",
        )  # fmt: skip
    else:
        st.warning(state.not_finite_message("for one of these images"))
    st.caption(
        "Each panel moves one factor through all its values and leaves the others; each line is one "
        "dimension of the code, q.mean. Coloured: the dimension that answers most. "
        "The dotted line is the image on the left."
    )

st.subheader("Which dimension knows which factor")
if "mutual_information" not in card.figures:
    st.info(f"Not measured yet: `python -m vae evaluate {card.name}` does it.")
    link.end_page()
order = cached.dimension_order(card.name)
entropies = np.array(card.figures["factor_entropy"])
varying = np.flatnonzero(entropies > 0)  # a constant factor has no information to encode
constant = [name for k, name in enumerate(grid.names) if k not in varying]
information = np.array(card.figures["mutual_information"])[order].T  # (K, D), the dimension with the highest KL first
shares = information[varying] / entropies[varying, None]
cell = st.session_state.get("disentangle_cell", {}).get(card.name)
if cell is None:
    cell = tuple(int(i) for i in np.unravel_index(shares.argmax(), shares.shape))


def pick(k: int, column: int) -> None:
    st.session_state.setdefault("disentangle_cell", {})[card.name] = (k, column)


heat_map(
    shares, [grid.names[k] for k in varying], [names[d] for d in order], key="disentangle_heat", on_pick=pick,
    selected=cell, name="mutual information between factors and dimensions",
)  # fmt: skip
mig = FIGURES["mig"]
gaps = ", ".join(f"{grid.names[k]} {card.figures['mig_gaps'][k]:.2f}" for k in varying)
st.caption(
    "Mutual information as a share of the factor's entropy. "
    f"{mig.label} {mig.text(card.figures['mig'])} is the mean gap between the two largest of each row: {gaps}. "
    f"Random codes: {mig.text(card.figures['mig_random'])}. Protocol: {card.protocol['mig']}. Click a cell."
    + (f" Left out, since it never varies: {', '.join(constant)}." if constant else "")
)
k, d = int(varying[cell[0]]), order[cell[1]]
value_indices = np.unique(np.linspace(0, grid.sizes[k] - 1, STEPS).round().astype(int))
rows = grid.sweep(truth, k)[value_indices]
values = torch.from_numpy(np.linspace(*cached.slider_ranges(card.name)[d], len(value_indices)).astype(np.float32))
traversal = latent.traversal(state.z(), d, values)


def select(index: int) -> None:
    if index < len(rows):
        state.set_factors(rows[index])
    else:
        state.set_z(traversal[index - len(rows)])


picture_grid(
    torch.cat([state.render(rows), state.decode(traversal)]),
    [f"{grid.names[k]} {grid.values[k][v]}, the truth" for v in value_indices]
    + [f"{names[d]} = {value:.2f}" for value in values.tolist()],
    key="disentangle_strips", on_pick=select, columns=len(value_indices), size=96,
    row_labels=[f"{grid.names[k]},\nthe truth", f"{names[d]},\nthe model"], name="truth and model",
)  # fmt: skip

st.subheader(f"All models of {cached.info(card.data).title.lower()}")
cards = [c for c in cached.zoo_scan()[0].values() if c.data == card.data and "mig" in c.figures]
measured = report.of_group("disentanglement", cards)
st.dataframe(
    {
        "model": [("→ " if c.name == card.name else "") + c.title for c in cards] + ["random codes"],
        **{
            figure.title: [c.figures.get(figure.key) for c in cards] + [card.figures.get(figure.baseline)]
            for figure in measured
        },
        "images seen in training": [c.recipe.get("steps", 0) * c.recipe.get("batch_size", 0) for c in cards] + [None],
    },
    column_config={
        **{figure.title: figure_column(figure) for figure in measured},
        "images seen in training": st.column_config.NumberColumn(format="localized"),
    },
    hide_index=True,
    height="content",
    key="disentangle_table",
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
        key="disentangle_sweep", config=charts.CONFIG, alt="MIG, KL and reconstruction over beta",
    )  # fmt: skip
    st.caption(
        f"{len(sweep)} models trained by one recipe and seed, but for beta: what disentangles and what it "
        "costs. Every point is measured on held-out images; one seed each, so that a small difference "
        "says little."
    )
    st.page_link("pages/compare.py", label="These models side by side, on Compare")
with_kl = [c for c in cards if "kl" in c.figures]
st.plotly_chart(
    charts.trade_off(
        # of "Sprites, VAE, 10-D" only the middle, because data and dimensions are the same for all
        [", ".join(c.title.split(", ")[1:-1]) or c.title for c in with_kl],
        [c.figures["kl"] for c in with_kl],
        [c.figures["recon"] for c in with_kl], [c.figures["mig"] for c in with_kl],
        next((i for i, c in enumerate(with_kl) if c.name == card.name), None),
    ),
    key="disentangle_trade_off", config=charts.CONFIG, alt="reconstruction against KL, coloured by MIG",
)  # fmt: skip
st.caption(
    "What a code costs (KL) against what it keeps (reconstruction), coloured by MIG: every point is a "
    f"trained model (its name under the pointer), measured on {card.figures['test_images']:,} held-out images; an "
    f"autoencoder's code has no "
    "KL. None in the table: not measured. "
    + ". ".join(f"{f.label}: {card.protocol[f.key]}" for f in measured if f.key in card.protocol)
    + "."
)
