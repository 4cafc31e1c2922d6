"""The ends of charging: a host without some of its ions, and the metal that they go to."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from ase.build import bulk
from pymatgen.core import Composition

from core.records import Crystal
from core.relaxation.relax import FORCE_EV_PER_A, relax

if TYPE_CHECKING:
    from core.potentials import Potential


def without(crystal: Crystal, sites: Collection[int]) -> Crystal:
    """Return a crystal without some sites, in the cell that it has, the others in their order.

    Its formula is that of what is left.
    """
    gone = set(sites)
    kept = [site for site in range(crystal.n_sites) if site not in gone]
    species = tuple(crystal.species[site] for site in kept)
    formula = Composition(Counter(species)).reduced_formula
    return replace(
        crystal,
        formula=formula,
        species=species,
        frac=crystal.frac[kept],
        e_above_hull_ev_per_atom=None,
        spacegroup=None,
    )


def least_bound(
    crystal: Crystal, working_ion: str, n_leave: int, potential: "Potential",
    *, on_try: Callable[[], None] = lambda: None,
) -> tuple[int, ...]:  # fmt: skip
    """Return the sites of `n_leave` working ions that leave one after another, each the one that costs least.

    Energies are those of the unrelaxed crystal. The best set overall need not be among these: the voltage curve looks
    for it, this is the quick way. `on_try` is called before each energy and may raise to stop.
    """
    gone: list[int] = []
    ions = [site for site, element in enumerate(crystal.species) if element == working_ion]
    while len(gone) < n_leave:
        energies_ev = {}
        for site in ions:
            if site not in gone:
                on_try()
                energies_ev[site] = potential.evaluate(without(crystal, [*gone, site]).to_ase()).energy_ev
        gone.append(min(energies_ev, key=energies_ev.__getitem__))
    return tuple(sorted(gone))


def metal_energy_ev(potential: "Potential", ion: str) -> float:
    """Return the energy per atom of the ion's metal, relaxed by the potential from ASE's experimental structure."""
    atoms = bulk(ion)
    metal = Crystal(
        id=ion, formula=ion, lattice_a=np.array(atoms.cell.array), species=tuple(atoms.get_chemical_symbols()),
        frac=atoms.get_scaled_positions(), source="ase.build.bulk",
    )  # fmt: skip
    return relax(metal, potential, force_ev_per_a=FORCE_EV_PER_A / 5).energy_ev / metal.n_sites
