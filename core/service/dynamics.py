"""Molecular dynamics for the faces: what is asked, what comes out, and what a run would cost before it starts."""

from core.calculations.kinds.conductivity import barrier
from core.calculations.kinds.diffusion import DiffusionResult, DiffusionSpec, RefinementErrors
from core.calculations.kinds.diffusion.estimate import Estimate, estimate
from core.calculations.kinds.diffusion.spec import MAX_SEED
from core.calculations.kinds.diffusion.visited import read_visited
from core.calculations.kinds.refinement import MAX_ROUNDS
from core.dynamics import (
    PROTOCOLS,
    TEACHER_LIMIT_EV_PER_A,
    Frames,
    Protocol,
    adapted,
    default_potential,
    default_protocol,
    read_trajectory,
    write_extxyz,
)
from core.potentials import POTENTIALS, potential_card
from core.transport import Arrhenius

__all__ = [
    "MAX_ROUNDS",
    "MAX_SEED",
    "POTENTIALS",
    "PROTOCOLS",
    "TEACHER_LIMIT_EV_PER_A",
    "Arrhenius",
    "DiffusionResult",
    "DiffusionSpec",
    "Estimate",
    "Frames",
    "Protocol",
    "RefinementErrors",
    "adapted",
    "barrier",
    "default_potential",
    "default_protocol",
    "estimate",
    "potential_card",
    "read_trajectory",
    "read_visited",
    "write_extxyz",
]
