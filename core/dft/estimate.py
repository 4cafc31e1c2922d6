"""What a calculation will cost before it is begun, from the sizes that decide it.

An iteration takes CPU seconds in proportion to k points (those that symmetry leaves), spins, plane waves and bands;
where there are many bands, making them orthogonal comes on top. The number of plane waves is V (2 E)^(3/2) / (6 pi^2)
in atomic units. The factors are fitted to 29 ends of 3 to 14 atoms at 400 and 520 eV, one thread: all are within a
factor of two but high-spin starts of NiO2, which lose their moments on the way.
"""

import math
from dataclasses import dataclass
from typing import Final

from core.dft.cells import k_points, n_irreducible, primitive
from core.dft.level import Level
from core.dft.moments import at_rest, starts
from core.records import Crystal

SECONDS_A_UNIT: Final = 1.35e-6
"""CPU seconds for one plane wave of one band at one k point of one spin, an iteration."""

BANDS_DOUBLE: Final = 300
"""Bands at which orthogonality costs as much as all else."""

ITERATIONS: Final = 14
_RELAX_STEPS: Final = 15
_SECONDS_TO_START: Final = 3.0
_MEMORY_MB: Final = 500.0
_COPIES: Final = 15
_BOHR_A: Final = 0.529177
_HARTREE_EV: Final = 27.211386

_VALENCE: Final = """
H1 He2 Li1 Be2 B3 C4 N5 O6 F7 Ne8 Na7 Mg10 Al3 Si4 P5 S6 Cl7 Ar8 K9 Ca10 Sc11 Ti12 V13 Cr6 Mn15 Fe8 Co9 Ni16 Cu11 Zn12
Ga3 Ge4 As5 Se6 Br7 Kr8 Rb9 Sr10 Y11 Zr12 Nb13 Mo14 Ru16 Rh15 Pd16 Ag17 Cd12 In13 Sn14 Sb15 Te6 I7 Xe8 Cs9 Ba10 La11
Ce12 Pr13 Nd14 Pm15 Sm16 Eu17 Gd18 Tb19 Dy20 Ho21 Er22 Tm23 Yb24 Lu25 Hf12 Ta13 W14 Re13 Os14 Ir15 Pt16 Au11 Hg18 Tl13
Pb14 Bi15 Rn8
"""
"""Valence electrons of the PAW sets in gpaw-data 1.2.1."""

VALENCE_ELECTRONS: Final = {it.rstrip("0123456789"): int(it.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz")) for it in _VALENCE.split()}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds and peak memory of one end, all its starts; `n_atoms` and what follows are of the primitive cell."""

    seconds: float
    memory_mb: float
    n_atoms: int
    n_electrons: int
    n_k_points: int
    n_plane_waves: int
    n_starts: int


def cost(crystal: Crystal, level: Level) -> Cost:
    """Return what the energy of a crystal will cost at a level; an element without a PAW set counts ten electrons."""
    cell = primitive(crystal)
    tried = starts(cell, level.spin)
    n_electrons = sum(VALENCE_ELECTRONS.get(symbol, 10) for symbol in cell.species)
    n_bands = n_electrons / 2 * 1.2 + 10
    n_k = n_irreducible(cell, k_points(cell, level.k_spacing_per_a))
    volume, cutoff = cell.volume_a3 / _BOHR_A**3, level.ecut_ev / _HARTREE_EV
    n_waves = volume * (2 * cutoff) ** 1.5 / (6 * math.pi**2)
    spins = [1 if at_rest(moments) else 2 for moments in tried.values()]
    units = n_k * n_waves * n_bands
    a_spin = SECONDS_A_UNIT * units * (1 + n_bands / BANDS_DOUBLE) * ITERATIONS
    steps = _RELAX_STEPS if level.relax else 1
    seconds = len(tried) * _SECONDS_TO_START + sum(spins) * steps * a_spin
    memory_mb = _MEMORY_MB + _COPIES * max(spins) * units * 16 / 1e6
    return Cost(
        seconds=seconds, memory_mb=memory_mb, n_atoms=cell.n_sites, n_k_points=n_k,
        n_electrons=n_electrons, n_plane_waves=round(n_waves), n_starts=len(tried),
    )  # fmt: skip
