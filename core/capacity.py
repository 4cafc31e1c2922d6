"""Capacity of a discharged crystal: all working ions out, and as many as its redox metals can pay for."""

from collections import Counter

from ase.data import atomic_masses, atomic_numbers

from core.errors import NoWorkingIonError, RecordError
from core.oxidation import removable_electrons
from core.records import Capacity, Crystal
from core.units import AH_PER_L_PER_ELECTRON_PER_A3, MAH_PER_MOL


def volumetric_capacity_ah_per_l(electrons: float, volume_a3: float) -> float:
    """Return 44505 n z / V in Ah/L, with n z electrons leaving a cell of V cubic angstrom."""
    return AH_PER_L_PER_ELECTRON_PER_A3 * electrons / volume_a3


def gravimetric_capacity_mah_per_g(electrons: float, mass_g_per_mol: float) -> float:
    """Return 26801 n z / M in mAh/g, with n z electrons leaving a cell of M g per mole of cells."""
    return MAH_PER_MOL * electrons / mass_g_per_mol


def cell_mass_g_per_mol(crystal: Crystal) -> float:
    """Return the mass of one mole of cells in g (standard atomic weights); raise `RecordError` for no element."""
    try:
        return float(sum(atomic_masses[atomic_numbers[symbol]] for symbol in crystal.species))
    except KeyError as error:
        raise RecordError(f"{crystal.id}: {error} is no chemical element with a known mass.") from None


def theoretical_electrons(crystal: Crystal, working_ion: str, charge_number: int) -> int:
    """Return n z, the electrons that pay for all n working ions of the cell; raise `NoWorkingIonError` without one."""
    if charge_number < 1:
        raise RecordError(
            f"charge number {charge_number} of {working_ion}; a positive whole number is needed."
        )
    count = crystal.count(working_ion)
    if count == 0:
        raise NoWorkingIonError(crystal.formula, working_ion)
    return count * charge_number


def redox_limited_electrons(crystal: Crystal, working_ion: str, charge_number: int) -> float | None:
    """Return the electrons that the cell's redox metals can give at most n z of, or None where not countable.

    See `core.oxidation` for the states and assumptions; raises as `theoretical_electrons` does.
    """
    theoretical_electrons(crystal, working_ion, charge_number)
    return removable_electrons(Counter(crystal.species), working_ion, charge_number)


def capacity(crystal: Crystal, working_ion: str, charge_number: int) -> Capacity:
    """Return theoretical and redox-limited capacity of the discharged crystal, per volume and per mass of its cell.

    Raises `NoWorkingIonError` for a crystal without the working ion, `RecordError` for a bad charge number or element.
    """
    volume_a3, mass_g_per_mol = crystal.volume_a3, cell_mass_g_per_mol(crystal)
    electrons = theoretical_electrons(crystal, working_ion, charge_number)
    limited = redox_limited_electrons(crystal, working_ion, charge_number)
    return Capacity(
        capacity_vol_ah_per_l=volumetric_capacity_ah_per_l(electrons, volume_a3),
        capacity_grav_mah_per_g=gravimetric_capacity_mah_per_g(electrons, mass_g_per_mol),
        capacity_redox_vol_ah_per_l=None
        if limited is None
        else volumetric_capacity_ah_per_l(limited, volume_a3),
        capacity_redox_grav_mah_per_g=(
            None if limited is None else gravimetric_capacity_mah_per_g(limited, mass_g_per_mol)
        ),
    )
