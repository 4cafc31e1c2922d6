"""Cells are made primitive, symmetric and compact; k points follow their reciprocal lengths."""

import numpy as np
import pytest

from core.dft import k_points, n_irreducible, primitive
from core.records import Crystal
from tests.dft.crystals import layered, spinel


def angles_deg(crystal: Crystal) -> list[float]:
    a, b, c = crystal.lattice_a / np.linalg.norm(crystal.lattice_a, axis=1)[:, None]
    return [
        float(np.degrees(np.arccos(np.clip(one @ other, -1, 1)))) for one, other in ((b, c), (a, c), (a, b))
    ]


def test_a_conventional_cell_becomes_primitive_with_the_same_density() -> None:
    given = spinel()
    cell = primitive(given)
    assert (given.n_sites, cell.n_sites) == (56, 14)
    assert cell.volume_a3 / 14 == pytest.approx(given.volume_a3 / 56)
    assert cell.count("Mg") == 2 and cell.id == given.id


def test_a_thin_rhombohedral_cell_is_reduced() -> None:
    cell = primitive(layered())
    assert cell.n_sites == 4
    assert min(angles_deg(cell)) > 59, "no thin angle is left"
    assert max(k_points(cell, 0.5)) <= 6


def test_noise_below_two_hundredths_of_an_angstrom_is_taken_out_and_more_is_kept() -> None:
    given = spinel()
    rng = np.random.default_rng(0)
    shift = rng.uniform(-1, 1, given.frac.shape)
    for amplitude_a, n_sites in ((0.008, 14), (0.15, 56)):
        noisy = Crystal(**{**vars_of(given), "frac": given.frac + shift * amplitude_a / 8.42})
        assert primitive(noisy).n_sites == n_sites


def vars_of(crystal: Crystal) -> dict[str, object]:
    return {
        name: getattr(crystal, name) for name in ("id", "formula", "lattice_a", "species", "frac", "source")
    }


def test_k_points_follow_the_spacing() -> None:
    cube = Crystal(
        id="cube",
        formula="Mg",
        lattice_a=np.diag([4.0, 4.0, 8.0]),
        species=("Mg",),
        frac=np.zeros((1, 3)),
        source="test",
    )
    assert k_points(cube, 0.5) == (4, 4, 2)  # 2 pi / 4 = 1.571
    assert k_points(cube, 10.0) == (1, 1, 1)
    assert n_irreducible(cube, (4, 4, 2)) < 32
