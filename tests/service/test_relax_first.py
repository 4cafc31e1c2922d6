"""A crystal in a cell too small: told to be unrelaxed by the real model, and right again once it is relaxed."""

from dataclasses import replace

import pytest

from core.service.model import load_model
from core.service.predict import predict_crystal, predict_relaxed
from core.service.release import current_reader

pytestmark = pytest.mark.slow


def test_a_cell_eleven_per_cent_too_small_is_warned_of_and_comes_back() -> None:
    release, model = current_reader(), load_model()
    known = release.crystal("mp-32006")
    small = replace(known, id="upload", lattice_a=0.89 * known.lattice_a)

    given = predict_crystal("POSCAR", small, "Mg", model).row
    assert given.in_domain is False and given.is_strained
    assert given.start_pressure_gpa > 100.0 and given.start_force_ev_per_a > 3.0
    assert "it wants to grow" in given.domain_reason

    steps = []
    found = predict_relaxed("POSCAR", small, "Mg", model, on_step=steps.append)
    assert found.row.relaxed_by == "nequip-mp" and found.row.in_domain is True and len(steps) > 5
    assert found.row.relaxed_volume_change == pytest.approx(0.89**-3 - 1.0, abs=0.02)
    assert found.crystal.volume_a3 == pytest.approx(known.volume_a3, rel=0.01)
    assert found.row.voltage_v == pytest.approx(release.candidate("mp-32006")["voltage_v"], abs=0.1)
    assert abs(given.voltage_v - found.row.voltage_v) > 1.0
