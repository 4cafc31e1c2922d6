"""Interatomic potentials behind one face: energy, forces and stress of a crystal, and a card that says what for.

`load_potential(name)` gives any of `POTENTIALS`; dynamics and voltage need to know no more. A new one is a subclass of
`base.Potential` and one entry in `registry`.
"""

from core.potentials.base import Capabilities, Description, Evaluation, Potential, PotentialCard
from core.potentials.calculator import PotentialCalculator
from core.potentials.registry import (
    DEFAULT_POTENTIAL,
    POTENTIALS,
    default_dynamics_potential,
    load_potential,
    load_refined,
    potential_card,
    refine_potential,
)

__all__ = [
    "DEFAULT_POTENTIAL",
    "POTENTIALS",
    "Capabilities",
    "Description",
    "Evaluation",
    "Potential",
    "PotentialCalculator",
    "PotentialCard",
    "default_dynamics_potential",
    "load_potential",
    "load_refined",
    "potential_card",
    "refine_potential",
]
