"""First principles: energies by density-functional theory, here by GPAW, elsewhere by VASP.

`Level` decides an energy besides the crystal; `calculate` gives one; the kinds `dft` and `dft-metal` make voltages of
them. `prepare` and `read_outputs` do the same by way of VASP on another machine.
"""

from core.dft.available import engine_words, is_available, needed
from core.dft.cells import k_points, n_irreducible, primitive
from core.dft.dispersion import dispersion_ev
from core.dft.estimate import Cost, cost
from core.dft.gpaw_engine import NotSettledError, Point, calculate
from core.dft.level import Level, gpaw_setups, materials_project_u_ev
from core.dft.metals import metal_crystal, metal_level
from core.dft.moments import starts

__all__ = [
    "Cost", "Level", "NotSettledError", "Point", "calculate", "cost", "dispersion_ev", "engine_words", "gpaw_setups",
    "is_available", "k_points", "materials_project_u_ev", "metal_crystal", "metal_level", "n_irreducible", "needed",
    "primitive", "starts",
]  # fmt: skip
