"""From relaxed energies along the content to ground states and voltage steps: pymatgen's hull and electrode."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.apps.battery.insertion_battery import InsertionElectrode
from pymatgen.core import Composition
from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry

from core.errors import OrderingError
from core.records import Crystal


@dataclass(frozen=True, kw_only=True, eq=False)
class Phase:
    """One state of a host: `n_ions` in the cell, `x` over those of the full host, the relaxed energy of the cell."""

    name: str
    n_ions: int
    energy_ev: float
    crystal: Crystal


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveStep:
    """A plateau of the voltage curve between two ground states; `x` is the share of the host's ion sites filled."""

    x_low: float
    x_high: float
    voltage_v: float


@dataclass(frozen=True, kw_only=True, eq=False)
class VoltageCurve:
    """`stable`: names of the ground states, empty to full; `steps` between them, highest voltage first."""

    stable: tuple[str, ...]
    steps: tuple[CurveStep, ...]


def voltage_curve(phases: Sequence[Phase], working_ion: str, metal_ev: float) -> VoltageCurve:
    """Return ground states and steps of phases of one host in cells of equal size, both ends among them.

    Between neighbouring ground states a and b on the lower hull of the energy over x, with ions of charge z,

        V = [E(a) + (n_b - n_a) E(metal) - E(b)] / [(n_b - n_a) z]

    as in Aydinol and others, doi:10.1103/PhysRevB.56.1354. `metal_ev`: energy of an atom of the metal on the same
    scale. Raises `OrderingError` where the empty or full host is missing.
    """
    counts = [phase.n_ions for phase in phases]
    full = max(counts, default=0)
    if not full or 0 not in counts:
        raise OrderingError(
            f"Contents {sorted(set(counts))}: a voltage curve needs the empty and the full host."
        )
    entries = [
        ComputedStructureEntry(phase.crystal.to_pymatgen(), phase.energy_ev, entry_id=phase.name)
        for phase in phases
    ]
    metal = ComputedEntry(Composition({working_ion: 1}), metal_ev, entry_id="metal")
    electrode = InsertionElectrode.from_entries(entries, metal)
    contents = [entry.composition[working_ion] / full for entry in electrode.get_stable_entries()]
    steps = tuple(
        CurveStep(x_low=low, x_high=high, voltage_v=float(pair.voltage))
        for low, high, pair in zip(contents, contents[1:], electrode.voltage_pairs, strict=False)
    )
    return VoltageCurve(
        stable=tuple(str(entry.entry_id) for entry in electrode.get_stable_entries()), steps=steps
    )
