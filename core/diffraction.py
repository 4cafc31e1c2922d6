"""The powder pattern that an experimenter would look for: peaks of a crystal under an X-ray line, by pymatgen."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.errors import StructureError
from core.records import Crystal

if TYPE_CHECKING:
    from pymatgen.core import Structure

LINE: Final = "CuKa"
WAVELENGTH_A: Final = 1.54184
"""Copper K-alpha, the mean of both lines, as pymatgen has it."""

RANGE_DEG: Final = (10.0, 90.0)
SYMMETRY_A: Final = 0.1
"""Sites this near to each other by symmetry are taken as the same, so that relaxed crystals keep theirs."""

_WEAKEST_PERCENT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """One line of a powder pattern; `hkl`: the planes that make it, in the conventional cell; strongest is 100 %."""

    two_theta_deg: float
    d_spacing_a: float
    intensity_percent: float
    hkl: str
    multiplicity: int


def powder_pattern(crystal: Crystal, range_deg: tuple[float, float] = RANGE_DEG) -> tuple[Peak, ...]:
    """Return the peaks of a crystal under copper K-alpha, by angle: lambda = 2 d sin(theta).

    Intensities: structure factors with atomic scattering factors, multiplicity and Lorentz-polarisation factor
    (1 + cos(2 theta)^2) / (sin(theta)^2 cos(theta)); no thermal motion, texture or absorption. Raises `StructureError`
    for a range that is not within 0 to 180 degrees, and for a crystal that the calculator cannot take.
    """
    low, high = range_deg
    if not 0.0 < low < high < 180.0:
        raise StructureError(f"{low:g} to {high:g} degrees; a range within 0 to 180 is needed, low first.")
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = _conventional(crystal)
        try:
            found = XRDCalculator(wavelength=LINE).get_pattern(structure, two_theta_range=range_deg)
        except (ValueError, KeyError) as error:
            raise StructureError(
                f"{crystal.id}: no powder pattern of {crystal.formula} ({error})."
            ) from error
    peaks = zip(found.x, found.y, found.hkls, found.d_hkls, strict=True)
    return tuple(
        Peak(
            two_theta_deg=float(angle), d_spacing_a=float(spacing), intensity_percent=float(height),
            hkl=" ".join(_indices(plane["hkl"]) for plane in planes),
            multiplicity=sum(int(plane["multiplicity"]) for plane in planes),
        )
        for angle, height, planes, spacing in peaks
        if height >= _WEAKEST_PERCENT
    )  # fmt: skip


def _conventional(crystal: Crystal) -> "Structure":
    """The conventional cell, in which planes are indexed; the cell as it stands where no symmetry can be found."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    structure = crystal.to_pymatgen()
    try:
        found = SpacegroupAnalyzer(structure, symprec=SYMMETRY_A).get_conventional_standard_structure()
    except Exception:  # spglib's bindings raise types of their own
        return structure
    return found


def _indices(hkl: Any) -> str:
    """Miller indices as people write them: (311), (10-4); with commas where one has two digits."""
    texts = [str(int(index)) for index in hkl]
    between = "," if any(len(text.lstrip("-")) > 1 for text in texts) else ""
    return f"({between.join(texts)})"
