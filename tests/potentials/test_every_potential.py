"""The suite that every registered potential passes: the physics that no potential may break, and its manners."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress
from scipy.spatial.transform import Rotation

from core.errors import PotentialError, StructureError, UnsupportedElementError
from core.potentials import POTENTIALS, Evaluation, Potential, refine_potential
from core.records import Crystal
from tests.potentials.structures import rattled

SAMPLE = "CaTiO3"
STEP = 1e-4


def close(
    first: Evaluation, second: Evaluation, *, turned: np.ndarray | None = None, tolerance: float = 1e-8
) -> None:
    """Hold that two evaluations agree, the second one's axes being turned by a rotation matrix."""
    turn = np.eye(3) if turned is None else turned
    assert second.energy_ev == pytest.approx(first.energy_ev, abs=tolerance)
    assert second.forces_ev_per_a == pytest.approx(first.forces_ev_per_a @ turn.T, abs=tolerance)
    assert second.stress_ev_per_a3 == pytest.approx(turn @ first.stress_ev_per_a3 @ turn.T, abs=tolerance)


def energy_ev(potential: Potential, atoms: Atoms) -> float:
    return potential.evaluate(atoms).energy_ev


def test_rotation_turns_forces_and_stress(potential: Potential) -> None:
    atoms = rattled(SAMPLE)
    turn = Rotation.random(random_state=1).as_matrix()
    turned = Atoms(
        atoms.numbers, positions=atoms.positions @ turn.T, cell=atoms.cell.array @ turn.T, pbc=True
    )
    close(potential.evaluate(atoms), potential.evaluate(turned), turned=turn, tolerance=1e-6)


def test_order_and_choice_of_image_do_not_matter(potential: Potential) -> None:
    atoms = rattled(SAMPLE)
    order = np.random.default_rng(2).permutation(len(atoms))
    moved = atoms[order]
    moved.positions += np.array([0.3, -0.2, 0.1])
    moved.positions[0] += atoms.cell.array[1] - 2 * atoms.cell.array[2]
    before, after = potential.evaluate(atoms), potential.evaluate(moved)
    assert after.energy_ev == pytest.approx(before.energy_ev, abs=1e-6)
    assert after.forces_ev_per_a == pytest.approx(before.forces_ev_per_a[order], abs=1e-6)


def test_a_supercell_has_as_many_times_the_energy(potential: Potential) -> None:
    atoms = rattled("MgO")
    one, four = potential.evaluate(atoms), potential.evaluate(atoms.repeat((2, 1, 2)))
    assert four.energy_ev == pytest.approx(4 * one.energy_ev, abs=1e-6)
    assert four.stress_ev_per_a3 == pytest.approx(one.stress_ev_per_a3, abs=1e-6)


def test_forces_are_the_slope_of_the_energy(potential: Potential) -> None:
    atoms = rattled(SAMPLE)
    forces = potential.evaluate(atoms).forces_ev_per_a
    for seed in range(2):
        direction = np.random.default_rng(seed).normal(size=forces.shape)
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions += sign * STEP * direction
            ends.append(energy_ev(potential, moved))
        assert -(ends[0] - ends[1]) / (2 * STEP) == pytest.approx((forces * direction).sum(), abs=1e-5)


def test_stress_is_the_slope_of_the_energy_with_strain(potential: Potential) -> None:
    atoms = rattled(SAMPLE)
    stress = potential.evaluate(atoms).stress_ev_per_a3
    assert stress == pytest.approx(stress.T, abs=1e-9)
    for seed in range(2):
        strain = np.random.default_rng(seed).normal(size=(3, 3))
        strain = (strain + strain.T) / 2
        ends = []
        for sign in (1, -1):
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * STEP * strain), scale_atoms=True)
            ends.append(energy_ev(potential, strained))
        slope = (ends[0] - ends[1]) / (2 * STEP) / atoms.get_volume()
        assert slope == pytest.approx((stress * strain).sum(), abs=1e-6)


def test_forces_add_up_to_nothing_and_site_energies_to_the_whole(potential: Potential) -> None:
    found = potential.evaluate(rattled("MgTiS2"))
    assert found.forces_ev_per_a.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
    if found.site_energies_ev is not None:
        assert found.site_energies_ev.sum() == pytest.approx(found.energy_ev, abs=1e-6)


def test_smooth_where_a_neighbour_leaves_the_cutoff(potential: Potential) -> None:
    """A third atom on the way out: no step in energy, none in force."""
    inside, outside = (_line_of_three(potential.card.cutoff_a + shift) for shift in (-1e-5, 1e-5))
    before, after = potential.evaluate(inside), potential.evaluate(outside)
    assert after.energy_ev == pytest.approx(before.energy_ev, abs=1e-5)
    assert after.forces_ev_per_a == pytest.approx(before.forces_ev_per_a, abs=1e-4)


def _line_of_three(distance_a: float) -> Atoms:
    positions = [[0, 0, 0], [2.0, 0, 0], [0, distance_a, 0]]
    return Atoms("MgOO", positions=positions, cell=[20.0] * 3, pbc=True)


def test_an_isolated_atom_feels_nothing(potential: Potential) -> None:
    """No neighbour at all is an energy without force, or a plain refusal."""
    alone = Atoms("Mg", positions=[[1.0, 2.0, 3.0]], cell=[15.0] * 3, pbc=True)
    try:
        found = potential.evaluate(alone)
    except StructureError as refusal:
        assert "neighbour" in str(refusal)
        return
    assert np.isfinite(found.energy_ev)
    assert found.forces_ev_per_a == pytest.approx(np.zeros((1, 3)), abs=1e-12)


def test_non_contiguous_arrays_are_taken(potential: Potential) -> None:
    atoms = rattled(SAMPLE)
    expected = potential.evaluate(atoms)
    atoms.arrays["positions"] = np.asfortranarray(atoms.positions)
    atoms.arrays["numbers"] = np.repeat(atoms.numbers, 2)[::2]
    atoms.cell.array = np.ascontiguousarray(atoms.cell.array.T).T
    assert not atoms.positions.flags.c_contiguous and not atoms.cell.array.flags.c_contiguous
    close(expected, potential.evaluate(atoms))


def test_unknown_elements_are_refused(potential: Potential) -> None:
    atoms = rattled("MgO")
    atoms.symbols[0] = "Po"
    with pytest.raises(UnsupportedElementError, match="not trained on Po"):
        potential.evaluate(atoms)
    with pytest.raises(UnsupportedElementError, match="'" + potential.name + "'"):
        potential.require(["Mg", "At"])


@pytest.mark.parametrize("what", ["position", "cell"])
def test_nan_is_refused_before_the_neighbour_list(potential: Potential, what: str) -> None:
    atoms = rattled("MgO")
    (atoms.positions if what == "position" else atoms.cell.array)[0, 0] = np.nan
    with pytest.raises(PotentialError, match="NaN or infinity"):
        potential.evaluate(atoms)


def test_a_molecule_is_refused(potential: Potential) -> None:
    with pytest.raises(PotentialError, match="periodic in all three"):
        potential.evaluate(Atoms("MgO", positions=[[0, 0, 0], [2.1, 0, 0]], cell=[10.0] * 3, pbc=False))


def test_calculators_speak_the_units_of_ase(potential: Potential) -> None:
    atoms = rattled("MgO")
    expected = potential.evaluate(atoms)
    atoms.calc = potential.calculator()
    assert atoms.get_potential_energy() == expected.energy_ev
    assert atoms.get_forces() == pytest.approx(expected.forces_ev_per_a)
    assert atoms.get_stress() == pytest.approx(full_3x3_to_voigt_6_stress(expected.stress_ev_per_a3))
    assert atoms.get_potential_energies().sum() == pytest.approx(expected.energy_ev)


@pytest.mark.parametrize("before", [torch.float32, torch.float64])
def test_the_default_type_of_torch_neither_matters_nor_changes(
    potential: Potential, before: torch.dtype
) -> None:
    expected = potential.evaluate(rattled("MgO"))
    usual = torch.get_default_dtype()
    torch.set_default_dtype(before)
    try:
        found = potential.evaluate(rattled("MgO"))
        assert torch.get_default_dtype() is before
        with pytest.raises(PotentialError):
            potential.evaluate(Atoms("Po"))
        assert torch.get_default_dtype() is before
    finally:
        torch.set_default_dtype(usual)
    close(expected, found, tolerance=1e-10)


def test_threads_take_turns(potential: Potential) -> None:
    atoms = [rattled("MgO"), rattled("ZnS")]
    expected = [energy_ev(potential, one) for one in atoms]
    found: dict[int, list[float]] = {}

    def work(index: int) -> None:
        found[index] = [energy_ev(potential, atoms[index]) for _ in range(3)]

    workers = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {index: [pytest.approx(value, abs=1e-10)] * 3 for index, value in enumerate(expected)}


def test_many_are_as_one_by_one(potential: Potential) -> None:
    atoms = [rattled("MgO"), rattled(SAMPLE)]
    evaluations = potential.evaluate_many(atoms)
    for one, evaluation in zip(atoms, evaluations, strict=True):
        close(potential.evaluate(one), evaluation)
    assert potential.evaluate_many([]) == []


def test_capabilities_in_the_card_are_true(potential: Potential) -> None:
    able = potential.card.capabilities
    atoms = rattled("MgO")
    crystal = Crystal(
        id="mgo", formula="MgO", lattice_a=atoms.cell.array, species=tuple(atoms.get_chemical_symbols()),
        frac=atoms.get_scaled_positions(wrap=False), source="made by hand",
    )  # fmt: skip
    evaluation = potential.evaluate(atoms)
    assert (evaluation.magnetic_moments_mu_b is not None) == able.has_magnetic_moments
    if evaluation.magnetic_moments_mu_b is not None:
        assert evaluation.magnetic_moments_mu_b.shape == (len(atoms),)
        assert (evaluation.magnetic_moments_mu_b >= 0).all()
    if able.describes:
        seen = potential.describe(crystal)
        assert len(seen.vectors) == len(atoms)
        assert seen.energy_ev == pytest.approx(evaluation.energy_ev, abs=1e-6)
    else:
        with pytest.raises(PotentialError, match="offers no atom vectors"):
            potential.describe(crystal)
    assert able.batched == (type(potential).evaluate_many is not Potential.evaluate_many)
    assert able.can_be_compiled == (type(potential).compile is not Potential.compile)


def test_what_cannot_be_compiled_or_refined_says_so(potential: Potential, tmp_path: Path) -> None:
    able = potential.card.capabilities
    if not able.can_be_compiled:
        assert not potential.is_compiled
        with pytest.raises(PotentialError, match="cannot be compiled"):
            potential.compile()
    if able.can_be_refined:
        assert potential.card.teacher in POTENTIALS
    else:
        crystal = Crystal(
            id="mgo", formula="MgO", lattice_a=np.eye(3) * 4.2, species=("Mg", "O"),
            frac=np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]), source="made by hand",
        )  # fmt: skip
        with pytest.raises(PotentialError, match="can't be fine-tuned"):
            refine_potential(potential.name, crystal, "Mg", folder=tmp_path, rounds=1)
        assert list(tmp_path.iterdir()) == []


def test_the_card_says_where_it_comes_from(potential: Potential) -> None:
    card = potential.card
    assert {"Mg", "Mn", "O", "S"} <= set(card.elements) and "Po" not in card.elements
    assert card.licence and card.trained_on and card.energy_scale and card.source.startswith("10.")
    assert len(card.sha256) == 64 and card.cutoff_a > 3
    assert card.to_dict()["name"] == potential.name
