"""Time and memory before a start: they grow as the work does, and fit what was measured."""

import pytest

from core.dft import Level, cost
from core.dft.estimate import VALENCE_ELECTRONS
from core.relaxation import without
from tests.dft.crystals import layered, spinel


def test_the_cost_of_a_spinel_is_that_of_its_primitive_cell() -> None:
    found = cost(spinel(), Level())
    assert (found.n_atoms, found.n_electrons) == (14, 92)
    assert 20 < found.seconds < 180 and 250 < found.memory_mb < 1500


def test_cost_grows_with_cutoff_k_points_starts_and_relaxation() -> None:
    base = cost(spinel(), Level()).seconds
    assert cost(spinel(), Level(ecut_ev=800)).seconds > 1.5 * base
    assert cost(spinel(), Level(k_spacing_per_a=0.25)).seconds > 2 * base
    assert cost(spinel(), Level(relax=True)).seconds > 8 * base
    full = layered("Ni")
    empty = without(full, [full.species.index("Mg")])
    assert cost(empty, Level()).n_starts == 2
    both, high, low = (cost(empty, Level(spin=spin)).seconds for spin in ("lowest", "high", "low"))
    assert both == pytest.approx(high + low) and high > low, "without moments both spins are one"


def test_valence_electrons_are_read_from_the_list() -> None:
    assert (VALENCE_ELECTRONS["O"], VALENCE_ELECTRONS["Mg"], VALENCE_ELECTRONS["Cr"]) == (6, 10, 6)
    assert len(VALENCE_ELECTRONS) == 83
