"""The metals that voltages are measured against, in the crystal that they have at room temperature."""

from dataclasses import replace
from typing import Final

import numpy as np

from core.dft.level import Level
from core.ions import charge_number
from core.records import Crystal

_K_SPACING_PER_A: Final = 0.2
"""Metals need more k points than their compounds; this is 12x12x7 for Mg."""


def metal_crystal(ion: str) -> Crystal:
    """Return the primitive cell of an ion's metal, with the measured lattice constants that ase lists.

    Raises `UnknownIonError` for an ion that is none of ours.
    """
    from ase.build import bulk

    charge_number(ion)
    atoms = bulk(ion)
    return Crystal(
        id=f"{ion}-metal", formula=ion, lattice_a=np.array(atoms.cell), species=tuple(atoms.symbols),
        frac=atoms.get_scaled_positions(), source="ase.data.reference_states", license="LGPL-2.1-or-later",
    )  # fmt: skip


def metal_level(level: Level) -> Level:
    """Return the level of the metal that goes with one of a compound: same cutoff and smearing, no U, more k points."""
    return replace(level, k_spacing_per_a=_K_SPACING_PER_A, hubbard="none", spin="high", relax=False)
