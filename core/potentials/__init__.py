"""Interatomic potentials behind one face: energy, forces and stress of a crystal, and a card that says what for.

`load_potential(name)` gives any of `POTENTIALS`; dynamics and voltage need to know no more. A new one is a subclass of
`face.Potential` and one entry in `registry`.
"""

from core.potentials.calculator import PotentialCalculator
from core.potentials.face import Description, Evaluation, Potential, PotentialCard
from core.potentials.registry import DEFAULT_POTENTIAL, POTENTIALS, load_potential, potential_card

__all__ = [
    "DEFAULT_POTENTIAL",
    "POTENTIALS",
    "Description",
    "Evaluation",
    "Potential",
    "PotentialCalculator",
    "PotentialCard",
    "load_potential",
    "potential_card",
]
