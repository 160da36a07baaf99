"""Sliders: the live panel, and a traversal of each dimension from the current point."""

import numpy as np
import streamlit as st

from pages.components.bridge import first_picture
from pages.components.live_panel.panel import live_panel
from pages.components.shell import cached, link, settings, state
from pages.components.shell.model_picker import model_picker
from pages.components.widgets import exports
from pages.components.widgets.bars import kl_bars
from pages.components.widgets.image_input import image_input
from pages.components.widgets.picture_grid import picture_grid

PLACE = 30  # order in the navigation
GROUP = "Explore"
SETTINGS = {"sliders_start": ("int", 0, 9999)}

STEPS = 9  # pictures in a strip

st.title("Sliders")
model, card = state.traits(), state.card()
discrete = model.discrete
if discrete:
    st.markdown(
        "**Choose places of the grid**, then a vector for them, or draw them anew. This code is made "
        "of whole numbers, which no slider moves: here is its grid instead."
    )
else:
    st.markdown("**Drag a slider**, or move over the square: the picture follows. The first slider carries most.")
model_picker()


def random_point() -> None:
    import torch

    state.set_seed((state.seed() + 1) % (state.MAX_SEED + 1))
    sample = state.model().sample(1, generator=torch.Generator().manual_seed(state.seed()))[0]
    state.set_z(state.keep_locked(sample))


def random_level(dims: range) -> None:
    here = state.z()
    random_point()
    sampled = state.z()
    here[list(dims)] = sampled[list(dims)]
    state.set_z(state.keep_locked(here))


def start_from(picked) -> None:
    state.set_image(picked.x, picked.label)


def move_along(direction, step: float) -> None:
    state.set_z(state.keep_locked(state.z() + step * direction))


buttons = st.container(horizontal=True, vertical_alignment="center")
buttons.button(
    "The likeliest, place by place" if discrete else "Reset to the mean",
    on_click=lambda: state.set_z(state.keep_locked(state.model().prior.mean)),
)
buttons.button("Random", on_click=random_point, help=f"the prior's next draw; seed {state.seed()}")
for name, dims in model.levels.items():
    buttons.button(
        f"Random {name}", on_click=random_level, args=(dims,),
        help="the other level stays; what the top level asks of the bottom one goes along",
    )  # fmt: skip
choose_image = buttons.popover("Start from an image", key="sliders_image", on_change="rerun")


def choose_start() -> None:
    if not (choose_image.open or settings.is_pending("sliders_start")):
        return
    with choose_image:
        image_input("sliders_start", name="image to start from", on_change=start_from)


if discrete:
    from pages.components.live_panel.code_grid import code_grid  # it computes with torch throughout

    choose_start()
    code_grid()
    with st.container(horizontal=True):
        exports.download_picture("sliders_picture")
        exports.download_z("sliders_z")
    link.end_page()
row = st.container(horizontal=True, vertical_alignment="center")
live_panel()

first_picture.wait()
# The rest computes with torch, which the first visit of a server loads while the browser shows the panel.
import torch

from vae import objectives

choose_start()
directions = cached.attribute_directions(card.name)
if directions:
    row.markdown("**Attributes**", width="content")
    for attribute, direction in directions.items():
        for sign, step in (("+", 1.0), ("−", -1.0)):
            row.button(
                f"{sign} {attribute}", key=f"attribute_{attribute}_{sign}", on_click=move_along,
                args=(direction.vector, step),
            )  # fmt: skip

if model.num_classes:
    st.subheader("This z in every class")
    classes = state.info().classes
    all_classes = torch.arange(model.num_classes)
    picture_grid(
        state.decode(state.z().repeat(len(all_classes), 1), all_classes), [f"class {name}" for name in classes],
        key="sliders_classes", on_pick=lambda index: state.set_y(index), size=64,
        selected=st.session_state.y, name="this z in every class",
    )  # fmt: skip
    st.caption("p(x | z, y) with one z and every y: what stays is what z holds, the style. Click to choose a class.")

if directions:
    agreement = ", ".join(
        f"{attribute} {direction.agreement:.2f} ({abs(direction.random_agreement):.2f})"
        for attribute, direction in directions.items()
    )
    f = card.figures
    flips, unmoved_errors = f.get("attribute_flips"), f.get("attribute_unmoved")
    flip_note = flips and (
        f"On test faces {f['attribute_steps']:g} times the way flips at least "
        f"{100 * min(flips.values()):.0f} % of them, as a classifier sees it, which is wrong about "
        f"{100 * max(unmoved_errors.values()):.0f} % at most where nothing is moved."
    )
    st.caption(
        "**Attributes**: a click goes the way from the mean code of images without it to that of images "
        "with it, + or back, −. It is an average: on rare combinations it may do little, or the reverse. How far "
        "single "
        f"pairs of images agree on the direction, as a cosine (size of it for random pairs): {agreement}. "
        + (flip_note or "")
    )

st.subheader("From here, one dimension at a time")
inactive = model.latent_dim - card.figures.get("active_units", model.latent_dim)
st.caption(
    "Each row moves one number over the range of encoded data; all others stay. Click to go."
    + (f" {inactive} dimensions carry nothing: the model does without them." if inactive > 1 else "")
)
order = cached.dimension_order(card.name)
names = {d: state.dim_name(d) for d in order}
kl = card.figures.get("kl_per_dim")
# In a model with levels, the dimensions are ordered by KL within each level.
active = [d for d in order if kl[d] > 0.01] if model.levels and kl else order[: max(1, len(order) - inactive)]
shown = order
if len(order) - len(active) > 1 and not st.toggle(
    f"All {len(order)}", key="sliders_all_strips", persist_state="session"
):
    shown = active


def rows_of_codes() -> tuple[np.ndarray, list[str]]:
    """Return the codes (N, D) of the strips, row by row, and their labels."""
    ranges = cached.slider_ranges(card.name)
    codes = np.tile(np.array(st.session_state.z, np.float32), (len(shown), STEPS, 1))  # (rows, STEPS, D)
    for row, d in enumerate(shown):
        codes[row, :, d] = np.linspace(*ranges[d], STEPS)
    labels = [f"{names[d]} = {code[d]:.2f}" for d, row in zip(shown, codes, strict=True) for code in row]
    return codes.reshape(-1, model.latent_dim), labels


strips, labels = rows_of_codes()
picture_grid(
    state.decode(strips),
    labels,
    key="sliders_strips",
    on_pick=lambda index: state.set_z(state.keep_locked(strips[index])),
    columns=STEPS,
    size=84,
    row_labels=[f"{names[d]}\n{kl[d]:.2f} nats" if kl else names[d] for d in shown],
    name="traversals",
)

def kl_of_this_picture() -> np.ndarray | None:
    """Encode the current picture again and return the KL (D,) of its posterior; None if a value is not finite."""
    picture = state.decode(state.z()[None])
    if not state.finite(picture):
        return None
    with torch.no_grad():
        output = state.model()(picture, state.y(), generator=torch.Generator().manual_seed(state.seed()))
        bars = objectives.elbo(output, picture).kl_per_dim[0].numpy()
    return bars if state.finite(bars) else None


if kl:
    st.subheader("What the encoder says of this picture")
    bars = kl_of_this_picture()
    if bars is None:
        st.warning(state.not_finite_message("for this picture"))
    else:
        kl_bars(bars, np.asarray(kl), order, list(names.values()), key="sliders_kl")
        st.caption(
            f"KL(q(z|x) || p(z)) of the picture above, encoded again: {bars.sum():.1f} nats in all."
            + (f" The lower level's is that at one draw of the upper, seed {state.seed()}." if model.levels else "")
        )
elif model.has_elbo and not model.analytic_kl:
    st.caption(
        "The KL of this model is estimated from draws, and has no share for each dimension: the sliders "
        "stand in the order of how far codes lie apart, beside the width of their posteriors."
    )
with st.container(horizontal=True):
    exports.download_picture("sliders_picture")
    exports.download_z("sliders_z")
