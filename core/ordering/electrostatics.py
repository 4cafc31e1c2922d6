"""Orderings by the Coulomb energy of point charges, for where there are more than a potential can be asked about."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Composition

from core.ions import charge_number
from core.ordering.distinct import Ordering
from core.records import Crystal, FloatArray


def ewald_energies_ev(
    crystal: Crystal, working_ion: str, ion_sites: Sequence[int], found: Sequence[Ordering]
) -> FloatArray:
    """Return the Coulomb energy (eV) of each ordering of one content, from a full host, up to a constant.

    One sum over the full host gives the energy of every pair of sites (pymatgen's `EwaldSummation`); an ordering is the
    sum over the sites that it keeps. Charges are those that pymatgen guesses for the full host, with its cations
    raised alike to pay for the ions that left; where it finds none, the ions alone repel each other.
    """
    if not found:
        return np.zeros(0)
    charges = _charges(crystal, working_ion, len(found[0].occupied))
    structure = crystal.to_pymatgen()
    structure.add_oxidation_state_by_site([charges.get(element, 0.0) for element in crystal.species])
    pairs = EwaldSummation(structure).total_energy_matrix
    energies = []
    for ordering in found:
        kept = np.delete(np.arange(crystal.n_sites), ordering.gaps(ion_sites))
        energies.append(float(pairs[np.ix_(kept, kept)].sum()))
    return np.array(energies)


def _charges(crystal: Crystal, working_ion: str, n_ions: int) -> dict[str, float]:
    """By element: the likeliest guess for the full host, its cations raised alike to pay for the ions that left.

    Where there is none, or no host cation that could pay, the ion's charge alone.
    """
    charge = float(charge_number(working_ion))
    full = Composition(Counter(crystal.species)).reduced_composition
    try:
        guesses = full.oxi_state_guesses(oxi_states_override={working_ion: [charge]})
    except ValueError:
        guesses = ()
    charges = dict(guesses[0]) if guesses else {}
    cations = {element for element, it in charges.items() if it > 0 and element != working_ion}
    held = sum(charges[element] * crystal.count(element) for element in cations)
    if not held:
        return {working_ion: charge}
    raised = 1.0 + charge * (crystal.count(working_ion) - n_ions) / held
    return {element: it * (raised if element in cations else 1.0) for element, it in charges.items()}
