"""Powder patterns: angles by Bragg's law, intensities and indices of known phases, bad ranges refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from core.diffraction import WAVELENGTH_A, Peak, powder_pattern
from core.errors import StructureError
from core.records import Crystal
from core.service.diffraction import pattern_csv
from tests.store.small_release import crystals, spinel


def bragg_deg(edge_a: float, *hkl: int) -> float:
    """Two theta of a cubic crystal: sin(theta) = lambda sqrt(h^2 + k^2 + l^2) / (2 a)."""
    return 2.0 * math.degrees(math.asin(WAVELENGTH_A * math.sqrt(sum(i * i for i in hkl)) / (2.0 * edge_a)))


def at(peaks: tuple[Peak, ...], hkl: str) -> Peak:
    (peak,) = [it for it in peaks if it.hkl == hkl]
    return peak


@pytest.mark.parametrize("hkl", [(1, 1, 1), (2, 2, 0), (3, 1, 1), (4, 0, 0), (4, 4, 0)])
def test_a_spinel_has_its_lines_where_bragg_puts_them(hkl: tuple[int, ...]) -> None:
    peak = at(powder_pattern(spinel()), f"({''.join(map(str, hkl))})")
    assert peak.two_theta_deg == pytest.approx(bragg_deg(8.6, *hkl), abs=0.01)
    assert peak.d_spacing_a == pytest.approx(8.6 / math.sqrt(sum(i * i for i in hkl)), abs=1e-3)


def test_a_primitive_cell_is_indexed_in_the_conventional_one() -> None:
    primitive = spinel().to_pymatgen().get_primitive_structure()
    small = replace(
        spinel(), lattice_a=np.array(primitive.lattice.matrix), frac=primitive.frac_coords,
        species=tuple(site.specie.symbol for site in primitive),
    )  # fmt: skip
    assert small.n_sites == 14
    assert at(powder_pattern(small), "(311)").two_theta_deg == pytest.approx(
        bragg_deg(8.6, 3, 1, 1), abs=0.01
    )


def test_intensities_of_rock_salt_follow_its_structure_factors() -> None:
    """Both ions add up in (200) and (220), and nearly cancel in (111); the other planes are extinct."""
    peaks = powder_pattern(crystals()[1])
    assert at(peaks, "(200)").intensity_percent == 100.0
    assert 40.0 < at(peaks, "(220)").intensity_percent < 60.0
    assert 5.0 < at(peaks, "(111)").intensity_percent < 16.0
    assert not [it for it in peaks if it.hkl == "(100)"]  # extinct in a face-centred cell


def test_peaks_go_up_in_angle_within_the_range() -> None:
    angles = [it.two_theta_deg for it in powder_pattern(spinel(), (30.0, 40.0))]
    assert angles == sorted(angles) and all(30.0 <= angle <= 40.0 for angle in angles) and angles


@pytest.mark.parametrize("range_deg", [(0.0, 90.0), (90.0, 10.0), (10.0, 180.0), (float("nan"), 90.0)])
def test_an_impossible_range_is_refused(range_deg: tuple[float, float]) -> None:
    with pytest.raises(StructureError, match="within 0 to 180"):
        powder_pattern(spinel(), range_deg)


def test_a_crystal_without_symmetry_still_has_a_pattern() -> None:
    rng = np.random.default_rng(0)
    odd = Crystal(
        id="odd", formula="MgO", lattice_a=np.array([[4.1, 0.3, 0.2], [0.1, 4.6, 0.4], [0.3, 0.2, 5.2]]),
        species=("Mg", "O"), frac=rng.random((2, 3)), source="test",
    )  # fmt: skip
    assert powder_pattern(odd)


def test_csv_has_a_line_a_peak() -> None:
    peaks = powder_pattern(spinel())
    lines = pattern_csv({"Discharged": peaks}).splitlines()
    assert lines[0] == "end,two_theta_deg,d_spacing_a,intensity_percent,hkl,multiplicity"
    assert len(lines) == 1 + len(peaks) and lines[1].startswith("Discharged,17.8")
