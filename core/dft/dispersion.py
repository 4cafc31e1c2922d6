"""Grimme's dispersion energy, D3 with the damping of Becke and Johnson, as VASP adds it with IVDW = 12.

Two-body terms alone (Grimme and others 2010, doi:10.1063/1.3382344; damping: 2011, doi:10.1002/jcc.21759), with the
parameters of PBE there. It depends on the geometry alone, so that it can be added to an energy or taken off it.
"""

from typing import Final

from core.dft.available import needed
from core.records import Crystal

PBE_D3BJ: Final = {"s6": 1.0, "s8": 0.7875, "a1": 0.4289, "a2": 4.4407, "s9": 0.0}


def dispersion_ev(crystal: Crystal) -> float:
    """Return the dispersion energy of the cell, eV; raise `DftError` where dftd3 is not installed."""
    needed("dftd3")
    import numpy as np
    from ase.data import atomic_numbers
    from ase.units import Bohr, Hartree
    from dftd3.interface import DispersionModel, RationalDampingParam

    numbers = np.array([atomic_numbers[symbol] for symbol in crystal.species])
    positions = crystal.frac @ crystal.lattice_a / Bohr
    model = DispersionModel(numbers, positions, crystal.lattice_a / Bohr, np.array([True, True, True]))
    found = model.get_dispersion(RationalDampingParam(**PBE_D3BJ), grad=False)
    return float(found["energy"]) * float(Hartree)
