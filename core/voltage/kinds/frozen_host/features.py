"""From what the potentials say of a discharged crystal and of its frozen host to one feature vector.

The frozen host is the same cell with every working ion taken out and nothing relaxed. With n ions of charge z in the
cell, each potential gives the frozen-host voltage

    V_frozen = [E(host) + n E(metal) - E(discharged)] / (n z)

which lies above the relaxed voltage by the host's relaxation energy. That energy is what forces, stress and changes of
the magnetic moments on the frozen host hint at, and what the head learns. Everything is intensive: sums over the cell
are divided by the charge n z that leaves, so a supercell has the same features.

No label, formation energy or capacity enters: the only inputs are lattice, species, coordinates and working ion.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import StructureError
from core.ions import WORKING_IONS, charge_number
from core.records import Crystal
from core.units import GPA_A3_PER_EV
from core.voltage.kinds.frozen_host.backbones import (
    CHGNET_VECTOR,
    SEVENNET_VECTOR,
    Backbones,
    ChgnetState,
    SevenNetState,
)

Floats = NDArray[np.float64]

BLOCKS: Final[dict[str, int]] = {
    "ion": len(WORKING_IONS),
    "geometry": 4,
    "frozen_voltage": 2,
    "relaxation_drive": 7,
    "magnetism": 2,
    "site_energy": 2,
    "chgnet_ions": CHGNET_VECTOR,
    "chgnet_host": CHGNET_VECTOR,
    "chgnet_change": CHGNET_VECTOR,
    "sevennet_ions": SEVENNET_VECTOR,
    "sevennet_host": SEVENNET_VECTOR,
    "sevennet_change": SEVENNET_VECTOR,
}
"""Name and length of each part of the feature vector, in order."""

FEATURES_VERSION: Final = 1
"""To be raised whenever a feature changes its meaning: vectors kept by another version are then not read."""

LARGE_CELL_SITES: Final = 120

N_FEATURES: Final = sum(BLOCKS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class MetalEnergies:
    """Energy per atom of each working ion's metal, eV, in the order of `WORKING_IONS`: one row a potential."""

    sevennet_ev: Floats
    chgnet_ev: Floats


def frozen_host(crystal: Crystal, working_ion: str) -> Crystal:
    """Return the crystal without its working ions; one that holds nothing else is a `StructureError`."""
    keep = [site for site, element in enumerate(crystal.species) if element != working_ion]
    if not keep:
        raise StructureError(
            f"{crystal.formula} holds {working_ion} alone: no host is left when it is taken out, so it has no "
            "intercalation voltage."
        )
    return replace(crystal, species=tuple(crystal.species[site] for site in keep), frac=crystal.frac[keep])


def features(crystal: Crystal, working_ion: str, backbones: Backbones, metals: MetalEnergies) -> Floats:
    """Return the (N_FEATURES,) vector of one discharged crystal; raises `StructureError`."""
    crystal = reduced(crystal)
    host = frozen_host(crystal, working_ion)
    return assemble(
        crystal,
        working_ion,
        sevennet=(backbones.sevennet(crystal), backbones.sevennet(host)),
        chgnet=(backbones.chgnet(crystal, forces=False), backbones.chgnet(host, forces=True)),
        metals=metals,
    )


def reduced(crystal: Crystal) -> Crystal:
    """A large cell may be a supercell, and the potentials need 20 MB a site: it is told by its primitive cell."""
    if crystal.n_sites <= LARGE_CELL_SITES:
        return crystal
    primitive = crystal.to_pymatgen().get_primitive_structure(tolerance=1e-3)
    if len(primitive) >= crystal.n_sites:
        return crystal
    return replace(
        crystal,
        lattice_a=np.array(primitive.lattice.matrix),
        species=tuple(site.specie.symbol for site in primitive),
        frac=np.array(primitive.frac_coords),
    )


def assemble(
    crystal: Crystal,
    working_ion: str,
    *,
    sevennet: tuple[SevenNetState, SevenNetState],
    chgnet: tuple[ChgnetState, ChgnetState],
    metals: MetalEnergies,
) -> Floats:
    """Return the (N_FEATURES,) vector from the states of (discharged, host) of both potentials."""
    is_ion = np.array([element == working_ion for element in crystal.species])
    n_ions = int(is_ion.sum())
    charge = n_ions * charge_number(working_ion)
    place = WORKING_IONS.index(working_ion)
    (seven, seven_host), (chg, chg_host) = sevennet, chgnet
    voltages = [
        (host.energy_ev + n_ions * metal[place] - whole.energy_ev) / charge
        for whole, host, metal in (
            (seven, seven_host, metals.sevennet_ev),
            (chg, chg_host, metals.chgnet_ev),
        )
    ]
    parts = {
        "ion": np.eye(len(WORKING_IONS))[place],
        "geometry": geometry(crystal.volume_a3, crystal.n_sites, n_ions, charge),
        "frozen_voltage": np.array(voltages),
        "relaxation_drive": _relaxation_drive(chg_host, crystal.volume_a3, charge),
        "magnetism": _magnetism(chg.magmoms[~is_ion], chg_host.magmoms, charge),
        "site_energy": np.array([seven.site_energies_ev[is_ion].mean(), chg.site_energies_ev[is_ion].mean()]),
    }
    for name, whole_vectors, host_vectors in (
        ("chgnet", chg.vectors, chg_host.vectors),
        ("sevennet", seven.vectors, seven_host.vectors),
    ):
        parts[f"{name}_ions"] = whole_vectors[is_ion].mean(axis=0)
        parts[f"{name}_host"] = whole_vectors[~is_ion].mean(axis=0)
        parts[f"{name}_change"] = (host_vectors.sum(axis=0) - whole_vectors[~is_ion].sum(axis=0)) / charge
    return np.concatenate([parts[name] for name in BLOCKS])


def geometry(volume_a3: float, n_sites: int, n_ions: int, charge: int) -> Floats:
    """Return the part of that name: volume of a site, shares of ions and charge, volume of a charge."""
    return np.array(
        [
            np.log(volume_a3 / n_sites),
            n_ions / n_sites,
            charge / (n_sites - n_ions),
            np.log(volume_a3 / charge),
        ]
    )


def _relaxation_drive(host: ChgnetState, volume_a3: float, charge: int) -> Floats:
    if host.forces_ev_per_a is None or host.stress_gpa is None:
        raise StructureError("The frozen host was described without forces; ask the backbone for them.")
    return drive(np.linalg.norm(host.forces_ev_per_a, axis=1), host.stress_gpa, volume_a3, charge)


def drive(force_ev_per_a: Floats, stress_gpa: Floats, volume_a3: float, charge: int) -> Floats:
    """Return how hard a state pushes to relax, from (n,) sizes of forces and (3, 3) stress.

    Signed logarithms, since the raw sums span decades.
    """
    squared = float((force_ev_per_a**2).sum()) / charge
    pressure = float(np.trace(stress_gpa)) / 3.0
    elastic = float((stress_gpa**2).sum()) * volume_a3 / charge
    raw = [
        squared,
        np.log1p(squared),
        force_ev_per_a.mean(),
        force_ev_per_a.max(),
        pressure * volume_a3 / charge / GPA_A3_PER_EV,
        pressure,
        np.log1p(elastic),
    ]
    return np.sign(raw) * np.log1p(np.abs(raw))


def _magnetism(discharged_host: Floats, frozen: Floats, charge: int) -> Floats:
    change = (np.abs(frozen).sum() - np.abs(discharged_host).sum()) / charge
    return np.array([change, np.abs(discharged_host).mean()])


def metal_energies(backbones: Backbones) -> MetalEnergies:
    """Return the energies of the metals at ASE's experimental lattice parameters; a constant of each ion."""
    from ase.build import bulk

    crystals = []
    for ion in WORKING_IONS:
        atoms = bulk(ion)
        crystals.append(
            Crystal(
                id=ion, formula=ion, lattice_a=np.array(atoms.cell), species=tuple(atoms.symbols),
                frac=atoms.get_scaled_positions(), source="ase.build.bulk",
            )
        )  # fmt: skip
    return MetalEnergies(
        sevennet_ev=np.array([backbones.sevennet(item).energy_ev / item.n_sites for item in crystals]),
        chgnet_ev=np.array(
            [backbones.chgnet(item, forces=False).energy_ev / item.n_sites for item in crystals]
        ),
    )


def structure_key(crystal: Crystal, working_ion: str) -> str:
    """Return 32 hex digits that name this crystal's geometry (to 1e-6) and working ion, for the cache."""
    digest = hashlib.sha256(f"{working_ion}|{','.join(crystal.species)}|".encode())
    for array in (crystal.lattice_a, crystal.frac):
        digest.update(np.round(array, 6).astype("<f8").tobytes())
    return digest.hexdigest()[:32]
