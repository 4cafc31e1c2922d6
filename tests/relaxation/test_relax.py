"""Relaxing under a toy potential whose minimum is known, and what stops it."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from core.errors import RelaxationError, StructureError
from core.potentials import Evaluation
from core.records import Crystal
from core.relaxation import Step, least_bound, metal_energy_ev, relax
from tests.dynamics.toys import Toy


class Springs(Toy):
    """Harmonic in the volume alone: E = k (V/V0 - 1)^2, its minimum at `volume_a3`."""

    def __init__(self, volume_a3: float) -> None:
        super().__init__()
        self.volume_a3 = volume_a3

    def require(self, species: object) -> None:
        """Any element will do."""

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        ratio = atoms.get_volume() / self.volume_a3
        pressure = 2 * 10.0 * (ratio - 1) / self.volume_a3
        return Evaluation(
            energy_ev=10.0 * (ratio - 1) ** 2, forces_ev_per_a=np.zeros((len(atoms), 3)),
            stress_ev_per_a3=np.eye(3) * pressure,
        )  # fmt: skip


class SiteEnergies(Toy):
    """Each ion costs what its first coordinate says; nothing else counts."""

    def require(self, species: object) -> None:
        """Any element will do."""

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        here = atoms.get_scaled_positions()[atoms.symbols == "Mg", 0]
        return Evaluation(
            energy_ev=-float(here.sum()),
            forces_ev_per_a=np.zeros((len(atoms), 3)),
            stress_ev_per_a3=np.zeros((3, 3)),
        )


@pytest.fixture
def rocksalt() -> Crystal:
    return Crystal(
        id="c", formula="MgO", lattice_a=np.eye(3) * 4.2, species=("Mg", "O"),
        frac=np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), source="test",
    )  # fmt: skip


def test_the_cell_goes_to_its_minimum(rocksalt: Crystal) -> None:
    steps: list[Step] = []
    found = relax(rocksalt, Springs(90.0), force_ev_per_a=0.001, on_step=steps.append)
    assert found.converged
    assert found.crystal.volume_a3 == pytest.approx(90.0, rel=1e-3)
    assert found.energy_ev == pytest.approx(0.0, abs=1e-4)
    assert found.start_pressure_gpa > 0  # it wanted to grow
    assert [step.number for step in steps] == sorted(step.number for step in steps)
    assert steps[-1].volume_ratio == pytest.approx(90.0 / rocksalt.volume_a3, rel=1e-3)


def test_the_given_crystal_is_not_changed_and_sites_keep_their_order(rocksalt: Crystal) -> None:
    before = rocksalt.lattice_a.copy()
    found = relax(rocksalt, Springs(90.0))
    assert np.array_equal(rocksalt.lattice_a, before)
    assert found.crystal.species == rocksalt.species and found.crystal.id == rocksalt.id


def test_a_fixed_cell_stays(rocksalt: Crystal) -> None:
    found = relax(rocksalt, Springs(90.0), move_cell=False)
    assert found.crystal.volume_a3 == pytest.approx(rocksalt.volume_a3)


def test_too_few_steps_are_told(rocksalt: Crystal) -> None:
    found = relax(rocksalt, Springs(100.0), force_ev_per_a=1e-6, max_steps=1)
    assert not found.converged and found.n_steps == 1


def test_a_cell_that_doubles_is_stopped(rocksalt: Crystal) -> None:
    with pytest.raises(RelaxationError, match="times its volume"):
        relax(rocksalt, Springs(400.0))


def test_atoms_in_each_other_are_stopped(rocksalt: Crystal) -> None:
    broken = replace(rocksalt, frac=np.array([[0.0, 0, 0], [0.1, 0, 0]]))
    with pytest.raises(RelaxationError, match=r"Mg-O pair|O-Mg pair"):
        relax(broken, Springs(80.0))


def test_a_listener_may_stop_it(rocksalt: Crystal) -> None:
    def stop(step: Step) -> None:
        raise StructureError("enough")

    with pytest.raises(StructureError, match="enough"):
        relax(rocksalt, Springs(90.0), on_step=stop)


def test_ions_leave_the_least_bound_first() -> None:
    crystal = Crystal(
        id="c", formula="Mg3O", lattice_a=np.eye(3) * 8, species=("Mg", "O", "Mg", "Mg"),
        frac=np.array([[0.9, 0, 0], [0.5, 0.5, 0.5], [0.1, 0.4, 0], [0.2, 0, 0.6]]), source="test",
    )  # fmt: skip
    tries: list[int] = []
    sites = least_bound(crystal, "Mg", 2, SiteEnergies(), on_try=lambda: tries.append(1))
    assert sites == (2, 3)
    assert len(tries) == 3 + 2


def test_the_metal_is_relaxed_to_its_own_volume() -> None:
    assert metal_energy_ev(Springs(40.0), "Mg") == pytest.approx(0.0, abs=1e-4)
