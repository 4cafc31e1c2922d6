"""The player of trajectories: a Streamlit component around the viewer's three.js bundle, fed with compact bytes."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.components.structure_viewer.bundle import STYLE, bundle_version, loader
from core.drawing.bonds import framework_bonds
from core.drawing.scenes import scene_json
from core.records import Crystal, FloatArray

MAX_FRAMES: Final = 400
"""What is sent at most: a long run is thinned evenly, its newest frame kept."""

_LARGEST = np.iinfo(np.uint16).max
_APART_A = 6.0
_ROUND_A = 5

_component = st.components.v2.component(
    "trajectory_player",
    html='<div class="trajectory-player"></div>',
    css=STYLE,
    js=loader("trajectory-player", "mountPlayer"),
)


def trajectory_player(
    species: Sequence[str],
    cell_a: FloatArray,
    positions_a: FloatArray,
    frame_ps: float | FloatArray,
    *,
    key: str,
    height: int = 460,
    working_ion: str = "Mg",
    live: bool = False,
) -> None:
    """Play the frames of a run, the working ion in front, with a time slider, trails and a switch for wrapping.

    `cell_a`: (3, 3) or (n_frames, 3, 3), lattice vectors as rows, angstrom; `positions_a`: (n_frames, n_atoms, 3)
    Cartesian and unwrapped, angstrom; `frame_ps`: the time between frames or each frame's own (n_frames,), ps.
    `height` in pixels. `live` follows a run that grows: the picture goes on to the newest frame, the camera stays.
    Frames that hold NaN are left out.
    """
    kept = kept_frames(positions_a)
    if not kept.size:
        st.caption("No frame has been written yet.")
        return
    times_ps = np.asarray(frame_ps, dtype=np.float64)
    if times_ps.ndim == 0:
        times_ps = times_ps * np.arange(len(positions_a))
    cells_a = cell_a if np.ndim(cell_a) == 2 else cell_a[kept]
    look = {"elements": _looks(tuple(dict.fromkeys(species))), "working_ion": working_ion}
    header = look | {"height": height, "live": live, "bundle": bundle_version()}
    _component(
        key=key,
        data=packed(species, cells_a, positions_a[kept], times_ps[kept], header),
        height=height,
    )


def kept_frames(positions_a: FloatArray) -> NDArray[np.intp]:
    """Return the numbers of at most `MAX_FRAMES` frames, evenly spread, the first and the newest among them."""
    sound = np.flatnonzero(np.isfinite(positions_a).all(axis=(1, 2)))
    every = math.ceil((len(sound) - 1) / (MAX_FRAMES - 1)) if len(sound) > 1 else 1
    thinned = sound[::every]
    return np.append(thinned, sound[-1]) if len(sound) and thinned[-1] != sound[-1] else thinned


def packed(
    species: Sequence[str],
    cells_a: FloatArray,
    positions_a: FloatArray,
    times_ps: FloatArray,
    header: dict[str, Any],
) -> bytes:
    """Return frames as bytes: uint32 length of a JSON header, the header, uint16 positions; all little-endian.

    A position is `origin_a` + `step_a` times its number, axis by axis, in the order frame, atom, axis; the step is
    the reach of the run over 65535, a thousandth of an angstrom or so. `run` in the header tells one run from another
    and stays as it grows; `version` changes with every frame.
    """
    low_a = positions_a.min(axis=(0, 1)).astype(np.float64)
    step_a = np.maximum(np.ptp(positions_a, axis=(0, 1)).astype(np.float64), 1e-3) / _LARGEST
    payload: bytes = np.rint((positions_a - low_a) / step_a).astype("<u2").tobytes()
    first = np.round(positions_a[0], 2) + 0.0
    frames = {
        "species": list(species),
        "times_ps": np.round(times_ps, 6).tolist(),
        "cells_a": np.round(np.reshape(cells_a, (-1, 9)), _ROUND_A).tolist(),
        "origin_a": low_a.tolist(),
        "step_a": step_a.tolist(),
        "bonds": framework_bonds(
            species, np.reshape(cells_a, (-1, 3, 3))[0], positions_a[0], header["working_ion"]
        ),
        "run": _digest(" ".join(species).encode() + first.astype("<f4").tobytes()),
    }
    body = json.dumps(header | frames | {"version": _digest(payload)}).encode()
    return len(body).to_bytes(4, "little") + body + payload


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


@st.cache_data(show_spinner=False)
def _looks(symbols: tuple[str, ...]) -> dict[str, Any]:
    """Return colour and radius of elements as the viewer draws them: of a row of lone atoms."""
    n = len(symbols)
    row = Crystal(
        id="looks",
        formula="".join(symbols),
        lattice_a=np.diag([_APART_A * n, _APART_A, _APART_A]),
        species=symbols,
        frac=np.column_stack([np.arange(n) / n, np.zeros(n), np.zeros(n)]),
        source="built in",
    )
    looks: dict[str, Any] = scene_json(row, bonded=False)["elements"]
    return looks
