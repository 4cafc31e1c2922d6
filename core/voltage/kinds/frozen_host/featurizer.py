"""Feature vectors of crystals, from the cache or from the potentials, in several processes where that pays."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ExplorerError, ModelError
from core.records import Crystal
from core.settings import Settings
from core.voltage.base import Done
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.cache import FeatureCache
from core.voltage.kinds.frozen_host.features import N_FEATURES, MetalEnergies, features, structure_key

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
        self._backbones: Backbones | None = None
        self._pool: ProcessPoolExecutor | None = None

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
            zip(missing, self._computed(list(missing.values())), strict=True), 1
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

    def _computed(self, inputs: list[tuple[Crystal, str]]) -> Iterator[Made]:
        workers = min(Settings.from_environment().threads, len(inputs))
        if len(inputs) >= _POOL_FROM and workers > 1:
            yield from self._in_processes(inputs, workers)
            return
        for crystal, ion in inputs:
            if self._backbones is None:
                self._backbones = Backbones.load()
            yield _made(crystal, ion, self._backbones, self.metals)

    def _in_processes(self, inputs: list[tuple[Crystal, str]], workers: int) -> Iterator[Made]:
        try:
            yield from self._started_pool(workers).map(_work, inputs, chunksize=_IN_A_TASK)
        except BrokenProcessPool:
            self._pool = None
            raise ModelError(
                f"One of {workers} processes that run the potentials was killed, most likely for want of memory: "
                "a site takes 20 MB. Set MGC_THREADS=1, or leave out the largest cells."
            ) from None

    def _started_pool(self, workers: int) -> ProcessPoolExecutor:
        if self._pool is None:
            # Spawned, not forked: a fork of a process with running threads (torch, a web server) can hang.
            self._pool = ProcessPoolExecutor(
                workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(self.metals,)
            )
        return self._pool


def _made(crystal: Crystal, working_ion: str, backbones: Backbones, metals: MetalEnergies) -> Made:
    try:
        row = features(crystal, working_ion, backbones, metals)
    except ExplorerError as error:
        return None, str(error)
    if not np.isfinite(row).all():
        reason = f"{crystal.formula}: the potentials gave energies that are not finite; check for atoms that overlap."
        return None, reason
    return row.astype(np.float32), None


_worker: tuple[Backbones, MetalEnergies] | None = None
"""What a worker process holds; set once by `_start_worker`, never in the parent."""


def _start_worker(metals: MetalEnergies) -> None:
    global _worker
    torch.set_num_threads(1)
    _worker = (Backbones.load(), metals)


def _work(item: tuple[Crystal, str]) -> Made:
    if _worker is None:
        raise ModelError("A worker process was used before it was started; run again.")
    return _made(*item, *_worker)
