"""From the raw ends of an electrode to one feature vector, that of the frozen-host model and what relaxing adds.

With n ions of charge z in the cell, each potential gives two voltages,

    V = [E(host) + n E(metal) - E(discharged)] / (n z)

of the frozen host and of the relaxed one. SevenNet-0 relaxes; CHGNet judges the host that SevenNet-0 came to. Their
difference says how far to trust them. Everything is intensive: a supercell has the same features.

No label, formation energy or capacity enters.
"""

from typing import Final

import numpy as np
from ase.data import atomic_numbers

from core.ions import WORKING_IONS, charge_number
from core.units import GPA_A3_PER_EV
from core.voltage.kinds.frozen_host.backbones import CHGNET_VECTOR, SEVENNET_VECTOR, Floats
from core.voltage.kinds.frozen_host.features import BLOCKS as FROZEN_BLOCKS
from core.voltage.kinds.frozen_host.features import MetalEnergies, drive, geometry
from core.voltage.kinds.relaxed_ends.ends import STATES, RawEnds

BLOCKS: Final[dict[str, int]] = {
    **FROZEN_BLOCKS,
    "relaxed_voltage": 7,
    "curvature": 2,
    "sevennet_drive": 7,
    "discharged_drive": 7,
    "remaining_drive": 7,
    "path": 7,
    "host_change": 7,
    "relaxed_magnetism": 5,
    "chgnet_relaxed_change": CHGNET_VECTOR,
    "sevennet_relaxed_change": SEVENNET_VECTOR,
}
"""Name and length of each part of the feature vector, in order; up to `sevennet_change` those of the frozen host."""

N_FEATURES: Final = sum(BLOCKS.values())


def block(name: str) -> slice:
    """Return where a part stands in the feature vector."""
    names = list(BLOCKS)
    start = sum(BLOCKS[it] for it in names[: names.index(name)])
    return slice(start, start + BLOCKS[name])


def features(raw: RawEnds, working_ion: str, metals: MetalEnergies) -> Floats:
    """Return the (N_FEATURES,) vector of `raw_ends`."""
    place, number = WORKING_IONS.index(working_ion), atomic_numbers[working_ion]
    is_ion = raw["numbers"] == number
    n_ions = int(is_ion.sum())
    charge = n_ions * charge_number(working_ion)
    volumes_a3 = np.abs(np.linalg.det(raw["lattices_a"]))
    seven_v = _voltages(raw["seven_ev"], n_ions, float(metals.sevennet_ev[place]), charge)
    chgnet_v = _voltages(raw["chgnet_ev"], n_ions, float(metals.chgnet_ev[place]), charge)
    frozen_moments = np.abs(raw["moments.frozen"])
    host_moments = np.abs(raw["moments.discharged"][~is_ion])
    of_host = (volumes_a3[1], charge)
    parts = {
        "ion": np.eye(len(WORKING_IONS))[place],
        "geometry": geometry(volumes_a3[0], len(is_ion), n_ions, charge),
        "frozen_voltage": np.array([seven_v[0], chgnet_v[0]]),
        "relaxation_drive": drive(raw["chgnet_forces"], raw["chgnet_stress"], *of_host),
        "magnetism": np.array([(frozen_moments.sum() - host_moments.sum()) / charge, host_moments.mean()]),
        "site_energy": np.array(
            [
                raw["seven_sites_ev.discharged"][is_ion].mean(),
                raw["chgnet_sites_ev.discharged"][is_ion].mean(),
            ]
        ),
        "relaxed_voltage": _relaxed_voltages(seven_v, chgnet_v, raw["steps"][:, 0] / charge),
        "curvature": _curvature(raw["seven_ev"], n_ions, charge),
        "sevennet_drive": drive(raw["forces.frozen"], _gpa(raw["stress.frozen"]), *of_host),
        "discharged_drive": drive(
            raw["forces.discharged"], _gpa(raw["stress.discharged"]), volumes_a3[0], charge
        ),
        "remaining_drive": drive(raw["forces.relaxed"], _gpa(raw["stress.relaxed"]), volumes_a3[2], charge),
        "path": _path(raw["steps"], raw["flags"], charge),
        "host_change": _host_change(raw["lattices_a"], raw["moves_a"]),
        "relaxed_magnetism": _magnetism(host_moments, frozen_moments, np.abs(raw["moments.relaxed"]), charge),
    }
    is_ion_row = raw["elements"] == number
    for short, name in (("chgnet", "chgnet"), ("seven", "sevennet")):
        whole, frozen, relaxed = (raw[f"{short}_sums.{state}"] for state in STATES)
        host = whole[~is_ion_row].sum(axis=0)
        parts[f"{name}_ions"] = whole[is_ion_row].sum(axis=0) / n_ions
        parts[f"{name}_host"] = host / (len(is_ion) - n_ions)
        parts[f"{name}_change"] = (frozen.sum(axis=0) - host) / charge
        parts[f"{name}_relaxed_change"] = (relaxed.sum(axis=0) - host) / charge
    return np.concatenate([parts[name] for name in BLOCKS])


def _voltages(energies_ev: Floats, n_ions: int, metal_ev: float, charge: int) -> Floats:
    """Of the frozen and of the relaxed host, V."""
    voltages: Floats = (energies_ev[1:3] + n_ions * metal_ev - energies_ev[0]) / charge
    return voltages


def _relaxed_voltages(seven_v: Floats, chgnet_v: Floats, way_v: Floats) -> Floats:
    """Both relaxed voltages, what relaxing took off each, how far the two potentials differ before and after, and the
    remainder of a geometric series through the last three energies."""
    steps = -np.diff(way_v[[max(0, len(way_v) - 7), max(0, len(way_v) - 4), -1]])
    first, last = float(steps[0]), float(steps[1])
    ratio = min(0.8, max(0.0, last / first)) if first > 0.0 else 0.0
    remainder = max(0.0, last) * ratio / (1.0 - ratio)
    return np.array(
        [
            seven_v[1], chgnet_v[1], seven_v[0] - seven_v[1], chgnet_v[0] - chgnet_v[1],
            seven_v[0] - chgnet_v[0], seven_v[1] - chgnet_v[1], remainder,
        ]
    )  # fmt: skip


def _curvature(energies_ev: Floats, n_ions: int, charge: int) -> Floats:
    """Energy of half of the ions over the line between the frozen ends, V, and whether there was a half."""
    whole, host, _, half = energies_ev
    if not np.isfinite(half):
        return np.zeros(2)
    share = (n_ions // 2) / n_ions
    return np.array([(half - (1.0 - share) * whole - share * host) / charge, 1.0])


def _gpa(stress_ev_per_a3: Floats) -> Floats:
    scaled: Floats = stress_ev_per_a3 * GPA_A3_PER_EV
    return scaled


def _path(steps: Floats, flags: Floats, charge: int) -> Floats:
    """What the relaxation won in its first step, in its last and in its last three, and how it ended."""
    won = -np.diff(steps[:, 0]) / charge
    if not len(won):
        won = np.zeros(1)
    return np.array(
        [
            won[0], np.log10(1e-5 + abs(won[-1])), np.log10(1e-5 + abs(won[-3:].sum())),
            np.log10(1e-5 + abs(won[-6:].sum())), len(won) / 10.0, float(flags[0]), float(flags[1]),
        ]
    )  # fmt: skip


def _host_change(lattices_a: Floats, moves_a: Floats) -> Floats:
    """Volume, the three principal strains, and the moves of the host's atoms."""
    deformation = np.linalg.solve(lattices_a[1], lattices_a[2])
    stretches = np.sort(np.log(np.linalg.svd(deformation, compute_uv=False)))
    return np.array(
        [
            stretches.sum(),
            *stretches,
            np.log1p(moves_a.mean()),
            np.log1p(moves_a.max()),
            np.log1p(moves_a.std()),
        ]
    )


def _magnetism(discharged: Floats, frozen: Floats, relaxed: Floats, charge: int) -> Floats:
    """Changes of the host's moments for each charge, as a whole and site by site, and what is left."""
    return np.array(
        [
            (relaxed.sum() - discharged.sum()) / charge, np.abs(relaxed - discharged).sum() / charge,
            np.abs(relaxed - frozen).sum() / charge, np.abs(relaxed - discharged).max(), relaxed.mean(),
        ]
    )  # fmt: skip
