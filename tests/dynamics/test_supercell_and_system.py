"""Near-cubic cells by integer matrices, and the working ions that are taken out."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from core.dynamics import build_system, find_supercell
from core.dynamics.supercell import height_a
from core.errors import DynamicsError, NoWorkingIonError
from core.records import Crystal
from tests.dynamics import toys

FCC_A = 2.0 * np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
HEXAGONAL_A = np.array([[3.4, 0.0, 0.0], [-1.7, 2.9445, 0.0], [0.0, 0.0, 6.3]])
TRICLINIC_A = np.array([[5.0, 0.0, 0.0], [4.2, 3.1, 0.0], [-3.3, 1.7, 6.0]])


@pytest.mark.parametrize(("cells", "edge_a"), [(4, 4.0), (32, 8.0), (256, 16.0)])
def test_a_primitive_fcc_cell_becomes_a_cube(cells, edge_a):
    matrix = find_supercell(FCC_A, 2, min_atoms=2 * cells, max_atoms=2 * cells)
    np.testing.assert_allclose(matrix @ FCC_A @ (matrix @ FCC_A).T, edge_a**2 * np.eye(3), atol=1e-9)


@pytest.mark.parametrize("lattice_a", [FCC_A, HEXAGONAL_A, TRICLINIC_A])
def test_size_handedness_and_determinism(lattice_a):
    matrix = find_supercell(lattice_a, 5, min_atoms=100, max_atoms=130)
    assert 100 <= 5 * round(np.linalg.det(matrix)) <= 130
    assert (matrix == find_supercell(lattice_a, 5, min_atoms=100, max_atoms=130)).all()
    cell_a = matrix @ lattice_a
    assert height_a(cell_a) > 0.75 * abs(np.linalg.det(cell_a)) ** (1 / 3)


def test_better_than_every_diagonal_matrix():
    matrix = find_supercell(TRICLINIC_A, 4, min_atoms=100, max_atoms=128)
    diagonal = [
        height_a(np.diag(times) @ TRICLINIC_A)
        for times in np.ndindex(30, 30, 30)
        if 25 <= np.prod(times) <= 32
    ]
    assert height_a(matrix @ TRICLINIC_A) > max(diagonal)


def test_where_no_multiple_fits_the_next_above_is_taken():
    assert round(np.linalg.det(find_supercell(10 * np.eye(3), 90, min_atoms=100, max_atoms=160))) == 2


@pytest.mark.parametrize(("n_sites", "low", "high"), [(0, 10, 20), (2, 20, 10), (2, 0, 10)])
def test_sizes_without_sense_are_refused(n_sites, low, high):
    with pytest.raises(DynamicsError, match="positive numbers in order"):
        find_supercell(FCC_A, n_sites, min_atoms=low, max_atoms=high)


def test_a_fifth_of_the_ions_is_taken_out_by_seed():
    first, again, other = toys.system(seed=1), toys.system(seed=1), toys.system(seed=2)
    assert (first.n_atoms, first.n_mobile, first.n_removed) == (58, 26, 6)
    assert (first.atoms.positions == again.atoms.positions).all()
    assert (first.atoms.positions != other.atoms.positions).any()
    np.testing.assert_allclose(first.atoms.cell.array, first.supercell_matrix @ first.unit_lattice_a)


def test_no_vacancies_leave_the_perfect_crystal():
    perfect = toys.system(toys.SHORT.with_changes(vacancy_fraction=0.0))
    assert perfect.n_removed == 0 and perfect.n_atoms == 64
    distances_a = cdist(perfect.atoms.positions, perfect.atoms.positions) + 9 * np.eye(64)
    np.testing.assert_allclose(distances_a.min(axis=1), 2.0)


def test_a_small_share_takes_one_ion_at_least():
    assert toys.system(toys.SHORT.with_changes(vacancy_fraction=0.001)).n_removed == 1


def test_without_the_ion_or_without_a_framework_there_is_no_system():
    with pytest.raises(NoWorkingIonError):
        build_system(toys.rocksalt(), "Li", toys.SHORT, 0)
    metal = Crystal(
        id="metal", formula="Mg", lattice_a=FCC_A, species=("Mg",), frac=np.zeros((1, 3)), source="test"
    )
    with pytest.raises(DynamicsError, match="Mg is Mg alone"):
        build_system(metal, "Mg", toys.SHORT, 0)
