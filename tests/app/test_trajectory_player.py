"""What the player of trajectories sends to the browser: bytes that hold the frames, thinned and whole."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.components.trajectory_player import MAX_FRAMES, kept_frames, packed
from core.drawing.bonds import framework_bonds

SPECIES = ["Mg", "Mg", "O", "O"]
CELL_A = np.diag([4.2, 4.2, 8.4])
SITES_A = np.array([[0.0, 0.0, 0.0], [2.1, 2.1, 4.2], [2.1, 2.1, 2.1], [0.0, 0.0, 4.2]])


def run_of(n_frames: int, seed: int = 3) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0, 0.3, (n_frames, 4, 3))
    return (SITES_A + np.cumsum(steps, axis=0)).astype(np.float32)


def opened(payload: bytes) -> tuple[dict, np.ndarray]:
    size = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + size])
    numbers = np.frombuffer(payload[4 + size :], dtype="<u2").reshape(-1, len(header["species"]), 3)
    return header, np.array(header["origin_a"]) + np.array(header["step_a"]) * numbers


def pack(positions_a: np.ndarray, cells_a: np.ndarray = CELL_A) -> bytes:
    return packed(
        SPECIES, cells_a, positions_a, 0.02 * np.arange(len(positions_a)), {"working_ion": "Mg", "live": True}
    )


def test_positions_come_back_within_a_thousandth_of_an_angstrom() -> None:
    positions_a = run_of(50)
    header, back_a = opened(pack(positions_a))
    assert np.abs(back_a - positions_a).max() < 1e-3
    assert header["times_ps"][-1] == pytest.approx(0.98)
    assert header["cells_a"] == [CELL_A.ravel().tolist()]


def test_a_moving_cell_is_sent_frame_by_frame() -> None:
    cells_a = CELL_A * np.linspace(1.0, 1.02, 5)[:, None, None]
    header, _ = opened(pack(run_of(5), cells_a))
    assert np.allclose(np.array(header["cells_a"]).reshape(-1, 3, 3), cells_a, atol=1e-5)


def test_a_run_that_grows_stays_the_same_run_with_a_new_version() -> None:
    positions_a = run_of(60)
    (early, _), (late, _) = opened(pack(positions_a[:30])), opened(pack(positions_a))
    (other, _) = opened(pack(run_of(60, seed=4)))
    assert early["run"] == late["run"] != other["run"]
    assert early["version"] != late["version"]
    assert pack(positions_a) == pack(positions_a)


@pytest.mark.parametrize("n_frames", [1, 2, 399, 400, 401, 2500])
def test_long_runs_are_thinned_evenly_and_keep_first_and_newest(n_frames: int) -> None:
    kept = kept_frames(np.zeros((n_frames, 1, 3)))
    assert len(kept) <= MAX_FRAMES and kept[0] == 0 and kept[-1] == n_frames - 1
    assert len(kept) == n_frames or len(set(np.diff(kept)[:-1])) == 1


def test_frames_with_nan_are_left_out() -> None:
    positions_a = run_of(10)
    positions_a[7, 2, 1] = np.nan
    assert kept_frames(positions_a).tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert kept_frames(np.full((3, 4, 3), np.inf)).size == 0


def test_bonds_join_the_framework_and_never_the_working_ion_or_two_metals() -> None:
    species = ["Mg", "Ti", "O", "O", "Ti"]
    positions_a = np.array(
        [[5.0, 5.0, 5.0], [0.0, 0.0, 0.0], [1.9, 0.0, 0.0], [0.0, 0.0, 10.1], [0.0, 2.5, 0.0]]
    )
    bonds = framework_bonds(species, np.diag([12.0] * 3), positions_a, "Mg")
    assert sorted(bonds) == [[1, 2, 0, 0, 0], [1, 3, 0, 0, -1]]
    assert framework_bonds(["Mg", "Mg"], CELL_A, SITES_A[:2], "Mg") == []


def test_component_takes_the_bytes_and_says_when_there_is_nothing_yet() -> None:
    def script() -> None:
        import numpy as np

        from app.components.trajectory_player import trajectory_player

        sites_a = np.array([[0.0, 0.0, 0.0], [2.1, 0.0, 0.0]])
        frames_a = np.repeat(sites_a[None], 3, axis=0)
        trajectory_player(["Mg", "O"], np.diag([4.2] * 3), frames_a[:0], 0.02, key="none")
        trajectory_player(["Mg", "O"], np.diag([4.2] * 3), frames_a, np.array([1.0, 1.5, 2.0]), key="some")

    page = AppTest.from_function(script, default_timeout=120).run()
    assert not page.exception
    assert page.caption[0].value == "No frame has been written yet."
    (element,) = page.get("bidi_component")
    header, back_a = opened(element.proto.bytes)
    assert header["times_ps"] == [1.0, 1.5, 2.0] and back_a.shape == (3, 2, 3)
    assert set(header["elements"]) == {"Mg", "O"} and header["elements"]["Mg"]["color"].startswith("#")
