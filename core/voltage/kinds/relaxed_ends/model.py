"""The relaxed-ends model as `core.voltage.base.Network`: structures in, voltages of each member out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.records import Crystal
from core.voltage.as_given import Strain
from core.voltage.base import Arrays, Done, Outputs
from core.voltage.kinds.frozen_host.features import MetalEnergies, structure_key
from core.voltage.kinds.frozen_host.head import HeadConfig
from core.voltage.kinds.relaxed_ends.ends import Instruments
from core.voltage.kinds.relaxed_ends.extract import Item, Made, ends_workers, extract
from core.voltage.kinds.relaxed_ends.features import N_FEATURES, features
from core.voltage.kinds.relaxed_ends.head import RemainderHeads
from core.voltage.kinds.relaxed_ends.store import EndsStore, default_store
from core.voltage.workers import Workers


class RelaxedEndsEnsemble:
    """Potentials, features and heads."""

    def __init__(self, metals: MetalEnergies, heads: RemainderHeads, store: EndsStore) -> None:
        self.metals = metals
        self.heads = heads
        self.store = store
        self._workers = ends_workers()

    def outputs(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Done | None = None
    ) -> Outputs:
        """Return the outputs; a structure that the potentials cannot take has its error."""
        rows, errors = described(
            crystals, working_ions, self.metals, self.store, workers=self._workers, progress=progress
        )
        made = zip(crystals, working_ions, errors, strict=True)
        strains = tuple(self._strain(crystal, ion) for crystal, ion, error in made if error is None)
        return Outputs.with_gaps(replace(self.heads(rows), strains=strains), errors)

    def _strain(self, crystal: Crystal, working_ion: str) -> Strain | None:
        """What SevenNet-0 said of the discharged crystal when its ends were made."""
        raw = self.store.get(structure_key(crystal, working_ion))
        return None if raw is None else Strain.of(raw["forces.discharged"], raw["stress.discharged"])

    def to_arrays(self) -> Arrays:
        """Return everything that `from_arrays` needs."""
        return self.heads.to_arrays() | {
            "metal.sevennet": self.metals.sevennet_ev,
            "metal.chgnet": self.metals.chgnet_ev,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, n_members: int, config: HeadConfig) -> "RelaxedEndsEnsemble":
        """Rebuild the model from its weights."""
        metals = MetalEnergies(sevennet_ev=arrays["metal.sevennet"], chgnet_ev=arrays["metal.chgnet"])
        heads = RemainderHeads.from_arrays(arrays, n_members=n_members, config=config)
        return cls(metals, heads, default_store())


def described(
    crystals: Sequence[Crystal], working_ions: Sequence[str], metals: MetalEnergies, store: EndsStore,
    *, workers: Workers[Instruments, Item, Made] | None = None, order: NDArray[np.int64] | None = None,
    progress: Done | None = None,
) -> tuple[NDArray[np.float32], tuple[str | None, ...]]:  # fmt: skip
    """Return (n_made, N_FEATURES) vectors in order, and for each crystal None or why it has none.

    `order` is that in which ends that are not in the store yet are made.
    """
    refused = extract(
        crystals, working_ions, store, workers=workers, order=order, progress=progress or (lambda done: None)
    )
    made, errors = [], []
    for crystal, ion in zip(crystals, working_ions, strict=True):
        key = structure_key(crystal, ion)
        raw, error = store.get(key), refused.get(key)
        row = None if raw is None else features(raw, ion, metals).astype(np.float32)
        if row is not None and not np.isfinite(row).all():
            error = f"{crystal.formula}: the potentials gave energies that are not finite; do atoms overlap?"
        elif row is not None:
            made.append(row)
        errors.append(error)
    rows = np.stack(made) if made else np.zeros((0, N_FEATURES), dtype=np.float32)
    return rows, tuple(errors)
