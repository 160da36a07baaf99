"""Match: a game that shows the difference between entangled and disentangled codes."""

import csv
import io

import streamlit as st

from pages.components.match import result
from pages.components.match.panel import FACTORS, MODELS, WIN_SCORE, available_models, match_panel, rounds
from pages.components.shell import cached, link, settings, state
from pages.components.shell.navigation import ensure_entry_point, open_page
from pages.components.shell.title import show_title
from pages.components.widgets import exports

PLACE = 100  # order in the navigation
GROUP = "Learn"
PARTS = {"game": "match_panel", "pictures": "match_panel .pictures", "sliders": "match_panel .sliders"}

ensure_entry_point()
show_title("Match the target")
st.markdown(
    "**Move the sliders until your image matches the target, then finish the round.** Each round has a different, "
    "hidden model. 100 % is as close as its reconstruction of the target. 0 % is no closer than the average image or "
    "a plain one."
)
data_sets = [data for data in MODELS if len(available_models(data)) > 1]
if not data_sets:
    st.info("The game needs models of sprites or rooms, and none is installed.")
    link.end_page()
own_data = state.card().data  # the game leaves the visitor's model and z as they are
board, controls = st.container(), st.container(horizontal=True, vertical_alignment="bottom")
data_titles = {name: cached.info(name).title.split(",")[0] for name in data_sets}
settings.take("match_data", among=data_sets, labels=data_titles)
data = controls.segmented_control(
    "Data", data_sets, default=own_data if own_data in data_sets else data_sets[0], required=True, key="match_data",
    format_func=data_titles.get,
)  # fmt: skip
player = controls.text_input(
    "Player", "Player 1", max_chars=24, key="match_player", persist_state="session", width=150
)
st.session_state["match_seed"] = state.seed()
controls.number_input(
    "Seed", 0, state.MAX_SEED, step=1, key="match_seed", width=170,
    help="with the same seed, all players get the same game",
    on_change=lambda: state.set_seed(st.session_state["match_seed"]),
)  # fmt: skip
games = st.session_state.setdefault("match_games", {})  # {(player, data set, seed): one result per round}
game = (player or "Player", data, state.seed())
controls.button("Restart this game", on_click=lambda: games.pop(game, None), disabled=game not in games)

game_rounds = rounds(data, state.seed())
results = games.get(game, [])


def finished(score: float, seconds: float, moves: int, z: list[float]) -> None:
    kept = games.setdefault(game, [])
    if len(kept) < len(game_rounds):
        kept.append({
            "model": game_rounds[len(kept)].model, "score": score, "seconds": seconds, "moves": moves,
            "link": result.address(data, game[2], len(kept), z),
        })  # fmt: skip


def title(name: str) -> str:
    return name if name == FACTORS else cached.zoo_scan()[0][name].title


def show_results() -> None:
    """Reveal the models, name the quickest match and offer each model on Sliders."""
    st.header("The models")
    won = [one for one in results if one["score"] >= WIN_SCORE]
    if won:
        best = min(won, key=lambda one: one["seconds"])
        st.markdown(
            f"Your quickest match: **{title(best['model'])}**, {best['score']:.0f} % in {best['seconds']:.0f} s."
        )
    else:
        st.markdown(f"You matched no target. A round is won at {WIN_SCORE} %.")
    for one in results:
        if one["model"] != FACTORS:
            st.button(
                f"{title(one['model'])}, on Sliders", key=f"match_open_{one['model']}",
                on_click=lambda name=one["model"]: (state.set_model(name), open_page("sliders")),
            )  # fmt: skip


linked = result.of_link(game_rounds)
with board:
    if linked is not None:
        result.show(game_rounds, *linked)
    elif len(results) < len(game_rounds):
        match_panel(
            game_rounds[len(results)], f"Model {len(results) + 1} of {len(game_rounds)}", game[0], finished,
            follows=game_rounds[len(results) - 1] if results else None,
        )  # fmt: skip
    else:
        show_results()
if len(results) < len(game_rounds):
    st.caption(
        f"You win a round at {WIN_SCORE} %. The score measures the root mean squared error, averaged over six "
        "resolutions. All models start from the same test image and have the same target. Inactive dimensions have no "
        "slider. The models are revealed at the end: which one had a slider for each factor?"
        + ("" if own_data in data_sets else " The game leaves your own model unchanged.")
    )

rows = [
    {
        "player": player_name, "data": data_name, "seed": seed, "round": i + 1,
        # names stay hidden until the game is over
        "model": title(one["model"]) if len(kept) == len(available_models(data_name)) else f"model {i + 1}",
        "score": round(one["score"], 1), "won": "yes" if one["score"] >= WIN_SCORE else "no",
        "seconds": round(one["seconds"], 1), "moves": one["moves"], "link": one["link"],
    }
    for (player_name, data_name, seed), kept in games.items()
    for i, one in enumerate(kept)
]  # fmt: skip
if rows:
    st.header("Results")
    st.dataframe(
        rows, hide_index=True, key="match_table",
        column_config={"link": st.column_config.LinkColumn(display_text="open", help="opens this result for anyone")},
    )  # fmt: skip

    def table() -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        for row in rows:
            safe = exports.escape_cell(row["player"])
            writer.writerow({**row, "player": safe})
        return text.getvalue().encode()

    exports.download("Results (CSV)", table, "match-results.csv", "text/csv", key="match_csv")
    st.caption("The results stay in this browser tab. Give the next player another name and the same seed.")
