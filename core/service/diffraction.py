"""Powder patterns for the faces: of a crystal as it stands and of its relaxed charged end, as peaks and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields

from core.diffraction import LINE, RANGE_DEG, SYMMETRY_A, WAVELENGTH_A, Peak, powder_pattern
from core.records import Crystal
from core.service.charged_state import NOT_CONVERGED, ChargedState

__all__ = [
    "COLUMNS", "LINE", "RANGE_DEG", "SYMMETRY_A", "WAVELENGTH_A", "Peak", "ends_of", "pattern_csv", "powder_pattern",
]  # fmt: skip

COLUMNS = tuple(field.name for field in fields(Peak))
"""Of the table of peaks, after the state of charge; the names are those of `core.quantities`."""


def ends_of(crystal: Crystal, charged: ChargedState | None) -> dict[str, Crystal]:
    """Return the crystals whose patterns are worth a look: discharged, and charged where that end came to rest."""
    ends = {"Discharged": crystal}
    if charged is None or charged.result.verdict == NOT_CONVERGED:
        return ends
    result = charged.result
    return ends | {"Charged": (result.charged if result.redox is None else result.redox).crystal}


def pattern_csv(patterns: Mapping[str, Sequence[Peak]]) -> str:
    """Return the peaks of each state of charge as CSV, angles to a thousandth of a degree."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["end", *COLUMNS])
    for end, peaks in patterns.items():
        for it in peaks:
            writer.writerow(
                [end, f"{it.two_theta_deg:.3f}", f"{it.d_spacing_a:.4f}", f"{it.intensity_percent:.1f}", it.hkl,
                 it.multiplicity]
            )  # fmt: skip
    return text.getvalue()
