"""Raw ends of all labelled electrodes, in an order that makes a stopped extraction a fair sample."""

from collections.abc import Sequence

import numpy as np

from core.errors import ExplorerError
from core.records import Crystal
from core.voltage.base import Done, Indices
from core.voltage.kinds.frozen_host.features import structure_key
from core.voltage.kinds.relaxed_ends.ends import Instruments, raw_ends
from core.voltage.kinds.relaxed_ends.store import EndsStore


def fair_order(working_ions: Sequence[str], *, first: str = "Mg", seed: int = 0) -> Indices:
    """Return the rows of one ion, then all others, each at random."""
    order = np.random.default_rng([seed, 6]).permutation(len(working_ions))
    is_first = np.asarray(working_ions)[order] == first
    return np.concatenate([order[is_first], order[~is_first]])


def extract(
    crystals: Sequence[Crystal], working_ions: Sequence[str], store: EndsStore, *, order: Indices | None = None,
    progress: Done = lambda done: None,
) -> dict[str, str]:  # fmt: skip
    """Put the ends of crystals that it lacks into the store; return the reasons, by `structure_key`, of those refused.

    Ends that another process wrote meanwhile are read, not made again. The last few are on disk once the store is
    saved.
    """
    instruments: Instruments | None = None
    refused: dict[str, str] = {}
    store.refresh()
    for done, row in enumerate(range(len(crystals)) if order is None else order.tolist(), 1):
        key = structure_key(crystals[row], working_ions[row])
        if store.get(key) is None and key not in refused:
            if done % 20 == 0:
                store.refresh()
            if instruments is None:
                instruments = Instruments.load()
            try:
                store.put(key, raw_ends(crystals[row], working_ions[row], instruments))
            except ExplorerError as error:
                refused[key] = str(error)
        progress(done)
    return refused
