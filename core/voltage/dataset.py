"""Labelled electrodes with their discharged structures, cleaned by a stated rule.

Refused, and counted with the reason: a label that is not finite, a discharged structure that is absent, one
without the working ion, a working ion outside the ten. Everything else stays, suspect or not: labels outside
`USUAL_RANGE_V` are counted but kept, since the L1 loss bears them and a test set must not be made easier than
the data is.

Inputs of a model are lattice, species, coordinates and working ion alone. Formation energies, hull energies
and capacities never enter: a `Crystal` is stripped of its energy here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.ions import CHARGE_NUMBER
from core.provenance import sha256_of_files
from core.records import Crystal, Electrode, Skipped

USUAL_RANGE_V: Final = (-1.0, 7.0)
LABEL_FILES: Final = ("electrodes.csv", "structures_electrodes.jsonl.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledData:
    """Electrodes and, in the same order, their discharged structures; what was refused; the hash of the
    files."""

    electrodes: tuple[Electrode, ...]
    crystals: tuple[Crystal, ...]
    refused: tuple[Skipped, ...] = ()
    data_sha256: str = ""

    def __len__(self) -> int:
        return len(self.electrodes)

    @property
    def voltages_v(self) -> NDArray[np.float64]:
        """(n,) labels."""
        return np.array([electrode.average_voltage_v for electrode in self.electrodes])

    @property
    def working_ions(self) -> list[str]:
        """Working ion of each electrode."""
        return [electrode.working_ion for electrode in self.electrodes]

    @property
    def host_formulas(self) -> list[str]:
        """Reduced formula of each charged host."""
        return [electrode.host_formula for electrode in self.electrodes]

    @property
    def n_unusual(self) -> int:
        """How many labels lie outside `USUAL_RANGE_V`; they are kept."""
        low, high = USUAL_RANGE_V
        return int(((self.voltages_v < low) | (self.voltages_v > high)).sum())


def check_all_described(data: LabelledData, errors: Sequence[str | None]) -> None:
    """Raise `TrainingError` where a labelled structure has a reason instead of its features: none should."""
    refused = [
        f"{crystal.id}: {error}"
        for crystal, error in zip(data.crystals, errors, strict=True)
        if error is not None
    ]
    if refused:
        raise TrainingError(
            f"{len(refused)} labelled structures cannot be described, first {refused[0]} Remove them from the data."
        )


def load_labelled(data_dir: Path) -> LabelledData:
    """Read and clean the labelled electrodes of a data folder; raises `SourceError` or `TrainingError`."""
    from core.sources.reference import read_electrode_structures, read_electrodes

    electrodes = read_electrodes(data_dir)
    structures = read_electrode_structures(data_dir)
    digest = sha256_of_files(data_dir / name for name in LABEL_FILES)
    return clean(electrodes, structures, data_sha256=digest)


def clean(
    electrodes: Iterable[Electrode], structures: Mapping[str, Crystal], *, data_sha256: str = ""
) -> LabelledData:
    """Keep the electrodes that a model can learn from; raises `TrainingError` when none is left."""
    kept, crystals, refused = [], [], []
    for electrode in electrodes:
        crystal = structures.get(electrode.id_discharge)
        reason = _refusal(electrode, crystal)
        if reason or crystal is None:
            refused.append(Skipped(id=electrode.battery_id, reason=reason))
            continue
        kept.append(electrode)
        crystals.append(replace(crystal, e_above_hull_ev_per_atom=None))
    if not kept:
        raise TrainingError(
            f"None of {len(refused)} electrodes can be used; the first reason: {refused[:1]}."
        )
    return LabelledData(
        electrodes=tuple(kept), crystals=tuple(crystals), refused=tuple(refused), data_sha256=data_sha256
    )


def _refusal(electrode: Electrode, crystal: Crystal | None) -> str:
    if not math.isfinite(electrode.average_voltage_v):
        return f"label is {electrode.average_voltage_v}"
    if electrode.working_ion not in CHARGE_NUMBER:
        return f"working ion {electrode.working_ion} is not one of the ten"
    if crystal is None:
        return f"discharged structure {electrode.id_discharge} is absent"
    if electrode.working_ion not in crystal.species:
        return f"discharged structure holds no {electrode.working_ion}"
    return ""
