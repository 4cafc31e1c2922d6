"""Feature vectors of crystals, from the cache or from the potentials, in several processes where that pays."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ExplorerError
from core.records import Crystal
from core.voltage.base import Done
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.cache import FeatureCache
from core.voltage.kinds.frozen_host.features import N_FEATURES, MetalEnergies, features, structure_key
from core.voltage.workers import Workers

Tools = tuple[Backbones, MetalEnergies]
Item = tuple[Crystal, str]
Made = tuple[NDArray[np.float32] | None, str | None]
"""A feature vector, or None with the reason why there is none."""

_POOL_FROM: Final = 24
"""Structures from which the start of worker processes (some 8 s each) pays."""

_IN_A_TASK: Final = 4


class Featurizer:
    """Features of crystals; the potentials are loaded when first needed."""

    def __init__(self, metals: MetalEnergies, cache: FeatureCache | None = None) -> None:
        self.metals = metals
        self.cache = FeatureCache() if cache is None else cache
        self._workers = Workers(partial(_load, metals), _made, pays_from=_POOL_FROM, in_a_task=_IN_A_TASK)

    def __call__(
        self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress: Done | None = None
    ) -> tuple[NDArray[np.float32], tuple[str | None, ...]]:
        """Return (n_made, N_FEATURES) vectors in order, and for each crystal None or why it has none.

        `progress(done)` counts crystals.
        """
        keys = [structure_key(crystal, ion) for crystal, ion in zip(crystals, working_ions, strict=True)]
        missing = {
            key: (crystal, ion)
            for key, crystal, ion in zip(keys, crystals, working_ions, strict=True)
            if self.cache.get(key) is None
        }
        reasons: dict[str, str] = {}
        known = len(crystals) - len(missing)
        for done, (key, (row, reason)) in enumerate(
            zip(missing, self._workers(list(missing.values())), strict=True), 1
        ):
            if row is not None:
                self.cache.put(key, row)
            else:
                reasons[key] = reason or "no reason was given"
            if progress is not None:
                progress(known + done)
        if not missing and progress is not None:
            progress(known)
        rows = [row for key in keys if (row := self.cache.get(key)) is not None]
        made = np.stack(rows) if rows else np.zeros((0, N_FEATURES), dtype=np.float32)
        return made, tuple(reasons.get(key) for key in keys)


def _load(metals: MetalEnergies) -> Tools:
    return Backbones.load(), metals


def _made(tools: Tools, item: Item) -> Made:
    crystal, working_ion = item
    try:
        row = features(crystal, working_ion, *tools)
    except ExplorerError as error:
        return None, str(error)
    if not np.isfinite(row).all():
        reason = f"{crystal.formula}: the potentials gave energies that are not finite; check for atoms that overlap."
        return None, reason
    return row.astype(np.float32), None
