"""Home: a VAE at work, six ideas to begin with, and all models."""

import streamlit as st

from pages.components.bridge import first_picture
from pages.components.home.autoencoder import autoencoder, can_draw, is_own, model_to_show, to_try
from pages.components.home.catalogue import show_catalogue
from pages.components.home.guide import show_guide
from pages.components.home.ideas import show_ideas
from pages.components.shell import cached
from pages.components.shell.navigation import ensure_entry_point
from pages.components.shell.title import show_title

PLACE = 0  # order in the navigation
GROUP = ""

ensure_entry_point()
shown = model_to_show()
show_title("A VAE turns an image into a few numbers and back", moves_z=is_own(shown))
if shown is not None:
    drawn = "Draw a digit" if cached.info(shown.data).preparation.kind == "digit" else "Draw"
    begin = drawn if can_draw(shown) else "Pick an image"
    st.markdown(f"**{begin}, or drag the white circle.** The decoder updates the image at once.")
    autoencoder(shown)
    st.markdown(f"**Try:** {to_try(shown)}")
first_picture.wait()

st.header("Six ideas to begin with", anchor="ideas")
show_ideas()
show_catalogue()
show_guide()
