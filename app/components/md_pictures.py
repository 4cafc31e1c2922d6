"""The 3D pictures of a run: its trajectory, and where the working ions have been in the crystal's own cell."""

from pathlib import Path

import streamlit as st

from app.components.md_runs import frames_so_far
from app.components.structure_viewer import structure_viewer
from app.components.trajectory_player import trajectory_player
from app.theme import safe
from core.records import Crystal
from core.service.calculations import Calculation
from core.service.dynamics import read_visited

_PLAYER_HEIGHT = 460
_PATH_HEIGHT = 480


def draw_trajectory(path: Path, *, key: str, working_ion: str, live: bool = False) -> None:
    """Play the frames of the run in a folder; a live one follows as it grows."""
    frames = frames_so_far(path)
    if frames is None:
        st.caption("No frame has been written yet." if live else "The trajectory of this run is not here.")
        return
    cell_a, positions_a = frames.cell_a.astype(float), frames.positions_a.astype(float)
    trajectory_player(
        frames.species, cell_a, positions_a, frames.time_ps, key=key, height=_PLAYER_HEIGHT, working_ion=working_ion,
        live=live,
    )  # fmt: skip


def draw_path(run: Calculation, crystal: Crystal, *, key: str) -> None:
    """Draw the crystal with the places that the working ions visited in a run."""
    ion = run.spec.subject.working_ion
    points = read_visited(run.read_file)
    if points is None or not len(points):
        st.info("This run kept no positions for the picture.", icon=":material/info:")
        return
    structure_viewer(crystal, key=key, height=_PATH_HEIGHT, working_ion=ion, path_points=points.astype(float))
    st.caption(
        f"Where the {safe(ion)} ions have been, of all frames at constant volume, folded back into the crystal's own "
        "cell: separate blobs are sites, what joins them is the way from one to the next."
    )
