"""The pages: what `app/server.py` serves beside the API."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # `streamlit run` puts app/ on the path, not the folder that holds app/ and core/.
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import screening_view, state, theme  # noqa: E402, F401  (screening_view: before the background loading)
from app.components.trouble import guarded  # noqa: E402

NEEDS_SLOW_PARTS = frozenset({"candidate", "dynamics", "predict", "accuracy", "inside", "about"})


def pages() -> list[st.Page]:
    """Return the pages in the order of the navigation bar."""
    return [
        st.Page(state.SCREEN_PAGE, title="Screen", icon=":material/filter_alt:", default=True),
        st.Page("views/final.py", title="Final list", icon=":material/checklist:", url_path="final"),
        st.Page(
            state.CANDIDATE_PAGE, title="Candidate", icon=":material/deployed_code:", url_path="candidate"
        ),
        st.Page(state.DYNAMICS_PAGE, title="Dynamics", icon=":material/animation:", url_path="dynamics"),
        st.Page(
            "views/distribution.py",
            title="Distribution",
            icon=":material/bar_chart:",
            url_path="distribution",
        ),
        st.Page("views/predict.py", title="Predict yours", icon=":material/upload_file:", url_path="predict"),
        st.Page("views/accuracy.py", title="Accuracy", icon=":material/my_location:", url_path="accuracy"),
        st.Page("views/inside.py", title="Inside the model", icon=":material/neurology:", url_path="inside"),
        st.Page(state.ABOUT_PAGE, title="About", icon=":material/info:", url_path="about"),
    ]


def main() -> None:
    """Set up the page and run the one that was asked for; without `app/server.py` the background loading follows."""
    st.set_page_config(
        page_title="Magnesium cathode explorer",
        page_icon=(ROOT / "app" / "static" / "icon.svg").read_text(encoding="utf-8"),
        layout="wide",
        menu_items={"Get help": None, "Report a bug": None, "About": None},
    )
    theme.apply_style()
    page = st.navigation(pages(), position="top")
    st.set_page_config(page_title=f"{page.title} · Magnesium cathode explorer")
    same_page = st.session_state.get("current_page") == page.url_path
    st.session_state["is_first_run_of_page"] = not same_page
    st.session_state["current_page"] = page.url_path
    if page.url_path in NEEDS_SLOW_PARTS:
        state.wait_until_warm()
    guarded(page.run)()
    state.warm_up()


if __name__ == "__main__":  # a process that this one spawns imports the script, and must not draw it
    main()
