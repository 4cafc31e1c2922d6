"""Feature vectors by structure, computed once and kept on disk: the potentials cost a second a structure, the head
nothing."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ExplorerError, ModelError, StructureError
from core.potentials import potential_card
from core.provenance import package_versions
from core.records import Crystal
from core.settings import Settings
from core.voltage.frozen.features import MetalEnergies, Probes, features, structure_key

Row = NDArray[np.float32] | str
"""A feature vector, or the reason why there is none."""

_POOL_FROM: Final = 24
"""Structures from which the start of worker processes (some 8 s each) pays."""

_SAVE_EVERY: Final = 200
"""New vectors after which the file is written: long work survives a stop, a single prediction leaves no file."""


def _made_by() -> str:
    return f"nequip-mp {potential_card('nequip-mp').sha256[:12]}, chgnet {package_versions(('chgnet',))['chgnet']}"


class FeatureCache:
    """Feature vectors by `structure_key`, in memory and, with a path, in an npz file."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the file if it is there; one written by other versions of the potentials is passed over."""
        self.path = path
        self._rows: dict[str, NDArray[np.float32]] = {}
        self._unsaved = 0
        if path is not None and path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                if str(stored["made_by"]) == _made_by():
                    self._rows = dict(zip(stored["keys"].tolist(), stored["features"], strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> NDArray[np.float32] | None:
        """Return the vector of a structure, if it is known."""
        return self._rows.get(key)

    def put(self, key: str, row: NDArray[np.float32]) -> None:
        """Keep a vector, and write the file when enough new ones have come together."""
        self._rows[key] = row
        self._unsaved += 1
        if self._unsaved >= _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the file, whole or not at all; a cache without a path has none."""
        self._unsaved = 0
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial.npz")
        rows = np.stack(list(self._rows.values()))
        np.savez(partial, made_by=_made_by(), keys=np.array(list(self._rows)), features=rows)
        partial.replace(self.path)


class Describer:
    """Feature vectors of crystals, from the cache or from the potentials; they are loaded when first needed."""

    def __init__(self, metals: MetalEnergies, cache: FeatureCache | None = None) -> None:
        self.metals = metals
        self.cache = FeatureCache() if cache is None else cache
        self._probes: Probes | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __call__(
        self,
        crystals: Sequence[Crystal],
        working_ions: Sequence[str],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Row]:
        """Return one row a crystal, in order; `progress(done)` is called as the missing ones are computed."""
        keys = [structure_key(crystal, ion) for crystal, ion in zip(crystals, working_ions, strict=True)]
        missing = {
            key: (crystal, ion)
            for key, crystal, ion in zip(keys, crystals, working_ions, strict=True)
            if self.cache.get(key) is None
        }
        reasons: dict[str, str] = {}
        for done, (key, row) in enumerate(
            zip(missing, self._computed(list(missing.values())), strict=True), 1
        ):
            if isinstance(row, str):
                reasons[key] = row
            else:
                self.cache.put(key, row)
            if progress is not None:
                progress(done)
        return [reasons[key] if key in reasons else self._known(key) for key in keys]

    def _known(self, key: str) -> NDArray[np.float32]:
        row = self.cache.get(key)
        if row is None:
            raise StructureError(f"The features {key} went missing between computation and use; run again.")
        return row

    def _computed(self, inputs: list[tuple[Crystal, str]]) -> Iterator[Row]:
        workers = min(Settings.from_environment().threads, len(inputs))
        if len(inputs) >= _POOL_FROM and workers > 1:
            yield from self._in_processes(inputs, workers)
            return
        for crystal, ion in inputs:
            if self._probes is None:
                self._probes = Probes.load()
            yield _row(crystal, ion, self._probes, self.metals)

    def _in_processes(self, inputs: list[tuple[Crystal, str]], workers: int) -> Iterator[Row]:
        try:
            yield from self._started_pool(workers).map(_work, inputs, chunksize=4)
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


def _row(crystal: Crystal, working_ion: str, probes: Probes, metals: MetalEnergies) -> Row:
    try:
        row = features(crystal, working_ion, probes, metals)
    except ExplorerError as error:
        return str(error)
    if not np.isfinite(row).all():
        return f"{crystal.formula}: the potentials gave energies that are not finite; check for atoms that overlap."
    return row.astype(np.float32)


_worker: tuple[Probes, MetalEnergies] | None = None
"""What a worker process holds; set once by `_start_worker`, never in the parent."""


def _start_worker(metals: MetalEnergies) -> None:
    global _worker
    torch.set_num_threads(1)
    _worker = (Probes.load(), metals)


def _work(item: tuple[Crystal, str]) -> Row:
    if _worker is None:
        raise StructureError("A worker process was used before it was started; run again.")
    return _row(*item, *_worker)
