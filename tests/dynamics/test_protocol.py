"""The three protocols, their numbers and what is refused."""

import numpy as np
import pytest

from core.dynamics import LONG, PAPER, PROTOCOLS, QUICK, Protocol, default_potential, default_protocol
from core.errors import DynamicsError
from core.potentials import POTENTIALS
from core.transport import classify, mean_square_displacement


def test_the_papers_numbers():
    assert (PAPER.min_atoms, PAPER.vacancy_fraction, PAPER.temperature_k) == (512, 0.2, 1200.0)
    assert (PAPER.npt_ps, PAPER.nvt_ps, PAPER.time_step_fs) == (10.0, 50.0, 2.0)
    assert PAPER.n_steps == 30_500 and PAPER.n_npt_steps == 5_000 and PAPER.frame_steps == 10


def test_quick_says_that_it_is_a_quick_look():
    assert "quick look" in QUICK.description and QUICK.max_atoms <= 160
    assert set(PROTOCOLS) == {"long", "paper", "quick"}
    assert QUICK.with_changes(name="long", description=LONG.description, nvt_ps=20.0) == LONG
    assert default_protocol("cpu") is QUICK and default_protocol("cuda:1") is PAPER


def test_quick_is_long_enough_for_a_verdict():
    n_frames = QUICK.n_nvt_steps // QUICK.frame_steps
    steps_a = np.random.default_rng(0).normal(0, 0.1, (n_frames, 16, 3))
    frame_ps = QUICK.frame_steps * QUICK.time_step_fs / 1000
    assert (
        classify(mean_square_displacement(np.cumsum(steps_a, axis=0), frame_ps=frame_ps)).kind == "diffusive"
    )


def test_the_default_potential_is_there():
    assert default_potential() in POTENTIALS


@pytest.mark.parametrize("time_step_fs", [0.5, 0.7, 1.0, 1.5, 2.0, 3.0])
def test_phases_are_whole_frames_and_not_shorter_than_asked(time_step_fs):
    protocol = QUICK.with_changes(time_step_fs=time_step_fs)
    for steps, ps in ((protocol.n_npt_steps, 1.0), (protocol.n_nvt_steps, 6.0)):
        assert steps % protocol.frame_steps == 0
        assert 0 <= steps * time_step_fs - 1000 * ps < protocol.frame_steps * time_step_fs + 1e-6


def test_changes_and_the_way_through_json():
    changed = QUICK.with_changes(temperature_k=800, nvt_ps=12.0)
    assert changed.temperature_k == 800 and QUICK.temperature_k == 1200
    assert Protocol.from_dict(changed.to_dict()) == changed


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"temperature_k": 0}, "temperature_k is 0; a number from 50 to 4000"),
        ({"temperature_k": float("nan")}, "temperature_k is nan"),
        ({"time_step_fs": "2"}, "time_step_fs is '2'"),
        ({"min_atoms": 100.5}, "a whole number"),
        ({"min_atoms": True}, "min_atoms is True"),
        ({"min_atoms": 200}, "max_atoms 160 is below min_atoms 200"),
        ({"vacancy_fraction": 1.0}, "vacancy_fraction"),
        ({"cell_change": "none"}, "use one of full, volume"),
        ({"steps": 3}, "a protocol has no steps; its fields are"),
    ],
)
def test_numbers_without_sense_are_refused(changes, told):
    with pytest.raises(DynamicsError, match=told):
        QUICK.with_changes(**changes)


def test_a_stored_protocol_of_another_version_is_refused():
    stored = QUICK.to_dict()
    del stored["drift_ps"]
    with pytest.raises(DynamicsError, match="misses or adds drift_ps"):
        Protocol.from_dict(stored)
