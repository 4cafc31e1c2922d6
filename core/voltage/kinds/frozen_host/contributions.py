"""Which atoms make a voltage: SevenNet-0's frozen-host voltage, split exactly into the atoms of the cell.

SevenNet-0's energy is a sum of site energies e_i, so with n ions of charge z in the cell

    V_frozen = [sum over host atoms (e_i(host) - e_i(discharged)) + sum over ions (E_metal - e_i(discharged))] / (n z)

is a sum over atoms: what each host atom loses when the ions leave its surroundings, and what each ion gives up. The
split is exact, but not the only one: a potential may share energy between neighbours in many ways, and this is the one
that SevenNet-0 learned. It explains the frozen-host part alone; the head corrects it for relaxation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError, StructureError
from core.ions import WORKING_IONS, charge_number
from core.records import Crystal
from core.voltage.kinds import voltage_kind
from core.voltage.kinds.frozen_host.backbones import SevenNetState
from core.voltage.kinds.frozen_host.features import frozen_host
from core.voltage.kinds.frozen_host.model import FrozenHostEnsemble
from core.voltage.predict import VoltageModel, check_input

MAX_SITES = 200
"""Above this many sites the potential takes too long and too much memory for a click."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContribution:
    """One atom's share of the frozen-host voltage, V, and its distance to the nearest working ion, angstrom.

    `site` counts as in the crystal. A working ion's distance is that to the nearest other one.
    """

    site: int
    element: str
    is_working_ion: bool
    contribution_v: float
    ion_distance_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """All atoms of a cell in order; `voltage_v`, their sum, is SevenNet-0's frozen-host voltage."""

    working_ion: str
    voltage_v: float
    sites: tuple[SiteContribution, ...]

    def by_element(self) -> dict[str, float]:
        """Return the sum over the atoms of each element, V, the largest share first."""
        sums: dict[str, float] = {}
        for site in self.sites:
            sums[site.element] = sums.get(site.element, 0.0) + site.contribution_v
        return dict(sorted(sums.items(), key=lambda item: -abs(item[1])))


def explain(
    model: VoltageModel, crystal: Crystal, working_ion: str, backbone: Callable[[Crystal], SevenNetState]
) -> Contributions:
    """Return what each atom of a crystal contributes under a frozen-host model.

    `backbone` is a `SevenNetBackbone`. Raises `StructureError` kinds, `UnknownIonError`, and `ModelError` for a model
    of another kind.
    """
    if not voltage_kind(model.card.kind).explains_atoms:
        raise ModelError(f"A model of kind {model.card.kind!r} ({model.name}) cannot be split into atoms.")
    check_input(crystal, working_ion)
    if crystal.n_sites > MAX_SITES:
        raise StructureError(
            f"{crystal.formula} has {crystal.n_sites} sites; atoms are weighed up to {MAX_SITES}. "
            "Use the primitive cell."
        )
    network = cast(FrozenHostEnsemble, model.network)
    metal_ev = float(network.featurizer.metals.sevennet_ev[WORKING_IONS.index(working_ion)])
    host = frozen_host(crystal, working_ion)
    return site_contributions(crystal, working_ion, backbone(crystal), backbone(host), metal_ev=metal_ev)


def site_contributions(
    crystal: Crystal, working_ion: str, discharged: SevenNetState, host: SevenNetState, *, metal_ev: float
) -> Contributions:
    """Return the split of the frozen-host voltage from both states and the metal's energy per atom, eV.

    Raises `StructureError` when the states are not of this crystal and its host.
    """
    is_ion = np.array([element == working_ion for element in crystal.species])
    found = (len(discharged.site_energies_ev), len(host.site_energies_ev))
    if found != (crystal.n_sites, int((~is_ion).sum())):
        raise StructureError(
            f"{crystal.formula}: the potential's states have {found[0]} and {found[1]} sites, the crystal "
            f"{crystal.n_sites} and its host {int((~is_ion).sum())}; give the states of this very crystal."
        )
    after = np.full(crystal.n_sites, metal_ev)
    after[~is_ion] = host.site_energies_ev
    shares = (after - discharged.site_energies_ev) / (int(is_ion.sum()) * charge_number(working_ion))
    return Contributions(
        working_ion=working_ion,
        voltage_v=float(shares.sum()),
        sites=tuple(
            SiteContribution(
                site=site,
                element=element,
                is_working_ion=bool(is_ion[site]),
                contribution_v=float(shares[site]),
                ion_distance_a=float(distance),
            )
            for site, (element, distance) in enumerate(
                zip(crystal.species, _ion_distances(crystal, is_ion), strict=True)
            )
        ),
    )


def _ion_distances(crystal: Crystal, is_ion: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n_sites,) angstrom to the nearest working ion other than the atom itself; an ion's own image counts."""
    lattice = crystal.to_pymatgen().lattice
    distances = np.array(lattice.get_all_distances(crystal.frac, crystal.frac[is_ion]))
    shortest_vector_a = float(np.linalg.norm(lattice.get_lll_reduced_lattice().matrix, axis=1).min())
    distances[distances < 1e-6] = shortest_vector_a
    return np.asarray(distances.min(axis=1), dtype=np.float64)
