"""Compare: two to four models side by side, on one image or one z."""

import streamlit as st
import torch

from pages.components.compare import comparison
from pages.components.shell import link, settings
from pages.components.shell.model_picker import model_picker
from pages.components.widgets.bars import kl_bars
from pages.components.widgets.image_input import image_input
from pages.components.widgets.picture_grid import picture_grid

PLACE = 90  # order in the navigation
GROUP = "Measure"

RANKS = {"busiest": 0, "second": 1, "third": 2, "fourth": 3}
GIVEN = ("one image", "one z")
SHARES = (0, 100)  # per cent
SETTINGS = {
    "beside": ("models",), "compare_given": ("choice", *GIVEN), "compare_rank": ("choice", *RANKS),
    "compare_share": ("int", *SHARES), "compare_image": ("int", 0, 9999),
}  # fmt: skip

st.title("Compare")
st.markdown("**The same picture in, or the same z,** and what each model makes of it.")
model_picker()
comparison.read_link()
comparison.show_presets()
names = comparison.choose_models()
if comparison.other_models():
    link.set_page_parameter("beside", ",".join(comparison.other_models()))

controls = st.container(horizontal=True, vertical_alignment="bottom")
for key in ("compare_given", "compare_rank", "compare_share"):
    settings.take(key)
given = controls.segmented_control(
    "Given", GIVEN, default="one image", required=True, key="compare_given", persist_state="session"
)
rank = controls.segmented_control(
    "Move each model's dimension (by what it carries)",
    RANKS,
    default="busiest",
    required=True,
    key="compare_rank",
    persist_state="session",
)
share = controls.slider(
    "Move it to this part of its range", *SHARES, 90, 5, format="%d %%", key="compare_share", persist_state="session",
    help="from where encoded data begins to where it ends (0.2 and 99.8 % of draws); all models move in step",
)  # fmt: skip
picked = None
if given == "one image":
    with st.popover("Choose the image"):
        picked = image_input("compare_image")
else:
    names, left_out = comparison.split_by_code(names)
    if left_out:
        st.info(f"Left out, since their codes have another length or kind: {', '.join(left_out)}.")

sides = [comparison.make_side(name, picked) for name in names]
bars = [values for side in sides if side.kl is not None for values in (side.kl, side.average) if values is not None]
top_kl = max([float(values.max()) for values in bars], default=0.0)
for column, side in zip(st.columns(len(sides), gap="large"), sides, strict=False):
    with column:
        st.subheader(side.short, anchor=False)
        if not side.usable:
            if side.x is not None:
                picture_grid(
                    side.x, [f"{side.title}: in"], key=f"compare_{side.name}", columns=1, size=190, captions=["in"],
                    name=f"{side.title}: in",
                )  # fmt: skip
            st.warning(side.line)
            continue
        pictures = {"in": side.x, "out": side.x_hat, "moved": comparison.decode_moved(side, RANKS[rank], share / 100)}
        captions = [label for label, x in pictures.items() if x is not None]
        shown = [pictures[label] for label in captions]
        picture_grid(
            torch.cat(shown), [f"{side.title}: {label}" for label in captions], key=f"compare_{side.name}",
            # three or more models show their pictures in two rows, which keeps them large
            columns=len(shown) if len(sides) < 3 else 2, size=190, captions=captions, name=f"{side.title}: "
                f"{' and '.join(captions)}",
        )  # fmt: skip
        st.markdown(side.line)
        if side.kl is not None:
            kl_bars(side.kl, side.average, side.order, side.labels, f"compare_kl_{side.name}", top_kl)
        strips, rows = comparison.traversals(side)
        if rows:
            picture_grid(
                side.decode(strips), [f"{row}, step {i + 1}" for row in rows for i in range(comparison.STEPS)],
                key=f"compare_strips_{side.name}", columns=comparison.STEPS, size=64, row_labels=rows,
                on_pick=lambda index, side=side, strips=strips: comparison.make_current(side, strips[index]),
                name=f"traversals of {side.title}",
            )  # fmt: skip
if given == "one z":
    above = "One z means another picture to each model: their axes were learnt apart, and no model is worse for it."
else:
    above = (
        "Bars: KL(q(z|x) || p(z)) of this image per dimension, in nats, all on one scale; the marks are averages "
        "over test images."
    )
st.caption(
    f"{above} Strips: each model's busiest dimensions over the range of its encoded data, the rest as in "
    f"{'this z' if given == 'one z' else 'the picture above'}; click to take a picture's model and code along."
)
comparison.show_planes(sides)
