"""Compare: two to four models side by side, on one image or one z."""

from pathlib import Path

import streamlit as st

from pages.components.compare import comparison
from pages.components.shell import link, settings, state
from pages.components.shell.glossary import explain
from pages.components.shell.model_picker import model_picker
from pages.components.widgets.image_input import image_input

PLACE = 90  # order in the navigation
GROUP = "Measure"

RANKS = {"busiest": "highest KL", "second": "second", "third": "third", "fourth": "fourth"}  # value in links: label
GIVEN = {"one image": "the same image", "one z": "the same z", "samples": "the same seed"}
SHARES = (0, 100)  # per cent
SETTINGS = {
    "beside": ("models",), "compare_given": ("choice", *GIVEN), "compare_rank": ("choice", *RANKS),
    "compare_share": ("int", *SHARES), "compare_image": ("int", 0, 9999),
}  # fmt: skip
PARTS = {"pictures": "compare_pictures", "codes": "compare_codes"}

st.html(Path(comparison.__file__).with_name("columns.css"))
st.title("Compare")
st.markdown("**Give several models the same image, z or seed** and compare what they decode.")
model_picker()
comparison.read_link()
pictures, controls = st.container(key="compare_pictures"), st.container()  # the pictures stand above what sets them
with controls:
    names = comparison.choose_models()
    if comparison.other_models():
        link.set_page_parameter("beside", ",".join(comparison.other_models()))
    settings.take("compare_given", labels=GIVEN)
    settings.take("compare_rank", labels=RANKS)
    settings.take("compare_share")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="large")
    given = row.segmented_control(
        "Give each model", GIVEN, default="one image", required=True, key="compare_given", persist_state="session",
        format_func=GIVEN.get,
    )  # fmt: skip
    if given == "samples":
        row.button("Sample again", key="compare_again", type="primary", on_click=state.next_seed)
        with pictures:
            comparison.show_samples(names)
        comparison.show_recognised(names)
        link.end_page()
    rank = row.segmented_control(
        "Dimension to change, by KL", RANKS, default="busiest", required=True, key="compare_rank",
        persist_state="session", format_func=RANKS.get,
    )  # fmt: skip
    share = row.slider(
        "Change it to", *SHARES, 90, 5, format="%d %%", key="compare_share", persist_state="session", width=260,
        help=(
            "0 % and 100 % are the 0.2 % and 99.8 % quantiles of encoded test images. The value applies to all "
            "models."
        ),
    )  # fmt: skip
    picked = None
    if given == "one image":
        with row.popover("Choose an image"):
            picked = image_input("compare_image")
    else:
        names, left_out = comparison.split_by_code(names)
        if left_out:
            st.info(f"Not shown, because their z has a different size or type: {', '.join(left_out)}.")

sides = [comparison.make_side(name, picked) for name in names]
with pictures:
    comparison.show_pictures(sides, list(RANKS).index(rank), share / 100)
with st.container(key="compare_codes"):
    comparison.show_codes(sides)
if given == "one z":
    st.caption("The same z decodes to a different image in each model, because each model learns its own axes.")
else:
    st.caption(
        explain(
            "Bars: the KL of each dimension for this image. Marks: averages over test images. All share one scale."
        )
    )
st.caption(
    explain(
        "Traversals: each row changes one dimension over the range of encoded data. The dimensions with the highest "
        "KL come first. Select an image to use its model and z."
    )
)
comparison.show_factors(sides)
comparison.show_planes(sides)
