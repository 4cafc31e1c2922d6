"""The integrators as they are set up: temperature, pressure, energy."""

import numpy as np
import pytest
from ase import Atoms

from core.dynamics import Progress, nve_drift, simulate
from core.dynamics.drift import drift_problem
from core.dynamics.integrators import thermalise
from core.errors import DynamicsError
from tests.dynamics import toys


def hot(temperature_k: float = 600.0) -> Atoms:
    atoms = toys.system().atoms
    thermalise(atoms, temperature_k, np.random.default_rng(0))
    return atoms


def test_the_toys_forces_and_stress_are_its_energys_gradient():
    atoms = toys.system().atoms
    atoms.rattle(0.1, seed=0)
    atoms.calc = toys.Toy().calculator()
    forces, stress = atoms.get_forces(), atoms.get_stress(voigt=False)
    energies = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.calc = toys.Toy().calculator()
        moved.positions[3, 1] += sign * 1e-4
        energies.append(moved.get_potential_energy())
    assert (energies[1] - energies[0]) / 2e-4 == pytest.approx(forces[3, 1], abs=1e-6)
    for sign in (1, -1):
        moved = atoms.copy()
        moved.calc = toys.Toy().calculator()
        moved.set_cell(atoms.cell.array * (1 + sign * 1e-5), scale_atoms=True)
        energies.append(moved.get_potential_energy())
    slope = (energies[2] - energies[3]) / (2e-5 * atoms.get_volume())
    assert slope == pytest.approx(np.trace(stress), abs=1e-6)


def test_a_cold_crystal_reaches_temperature_and_pressure(tmp_path):
    protocol = toys.SHORT.with_changes(settle_ps=0.1, npt_ps=0.4, nvt_ps=0.5, friction_per_ps=20.0)
    told: list[Progress] = []
    simulate(toys.system(protocol), toys.Toy(), protocol, seed=0, folder=tmp_path, on_progress=told.append)
    for phase in ("npt", "nvt"):
        late = [row.temperature_k for row in told if row.phase == phase and row.step > 50]
        assert np.mean(late) == pytest.approx(600, rel=0.2)
    assert 0.75 < told[-1].volume_a3 / told[0].volume_a3 < 1.0, "the toy's far pairs pull the cell together"


def test_a_velocity_draw_has_the_temperature_and_stands_still():
    atoms = hot()
    assert atoms.get_temperature() == pytest.approx(600, rel=0.2)
    np.testing.assert_allclose(atoms.get_momenta().sum(axis=0), 0, atol=1e-9)


def test_a_short_step_keeps_the_energy_and_a_long_one_does_not():
    atoms = hot()
    before = atoms.positions.copy()
    assert nve_drift(atoms, toys.Toy(), 1.0, 100) < 1.0
    assert nve_drift(atoms, toys.Toy(), 60.0, 30) > 1.0
    assert (atoms.positions == before).all()


def test_what_the_drift_limit_says():
    assert drift_problem(0.99, 2.0) is None
    assert drift_problem(2.5, 2.0) == (
        "energy drifts by 2.50 meV/atom/ps without thermostat at a time step of 2 fs (1 is the limit). Run again with "
        "time_step_fs 1."
    )
    with pytest.raises(DynamicsError, match="9 NVE steps show no drift"):
        nve_drift(hot(), toys.Toy(), 2.0, 9)
