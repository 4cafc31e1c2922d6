"""Raw ends of many electrodes, in an order that makes a stopped extraction a fair sample."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.errors import ExplorerError
from core.records import Crystal
from core.voltage.base import Done, Indices
from core.voltage.kinds.frozen_host.features import structure_key
from core.voltage.kinds.relaxed_ends.ends import Instruments, RawEnds, raw_ends
from core.voltage.kinds.relaxed_ends.store import EndsStore
from core.voltage.workers import Workers

Item = tuple[Crystal, str]
Made = RawEnds | str
"""Raw ends, or the reason why there are none."""

_BETWEEN_LOOKS: Final = 100
"""Structures after which the store is read again, for what another process wrote meanwhile."""

_POOL_FROM: Final = 12
"""Structures from which the start of worker processes (some 10 s each) pays."""


def fair_order(working_ions: Sequence[str], *, first: str = "Mg", seed: int = 0) -> Indices:
    """Return the rows of one ion, then all others, each at random."""
    order = np.random.default_rng([seed, 6]).permutation(len(working_ions))
    is_first = np.asarray(working_ions)[order] == first
    return np.concatenate([order[is_first], order[~is_first]])


def ends_workers() -> Workers[Instruments, Item, Made]:
    """Return what makes raw ends, in several processes where that pays; keep it for the next structures."""
    return Workers(Instruments.load, _made, pays_from=_POOL_FROM)


def extract(
    crystals: Sequence[Crystal], working_ions: Sequence[str], store: EndsStore, *,
    workers: Workers[Instruments, Item, Made] | None = None, order: Indices | None = None,
    progress: Done = lambda done: None,
) -> dict[str, str]:  # fmt: skip
    """Put the ends of crystals that it lacks into the store; return the reasons, by `structure_key`, of those refused.

    Ends that another process wrote meanwhile are read, not made again. The last few are on disk once the store is
    saved.
    """
    workers = workers or ends_workers()
    rows = range(len(crystals)) if order is None else order.tolist()
    wanted = {
        structure_key(crystals[row], working_ions[row]): (crystals[row], working_ions[row]) for row in rows
    }
    refused: dict[str, str] = {}
    done = len(crystals) - len(wanted)  # the same structure twice
    for start in range(0, len(wanted), _BETWEEN_LOOKS):
        keys = list(wanted)[start : start + _BETWEEN_LOOKS]
        store.refresh()
        missing = [key for key in keys if store.get(key) is None]
        progress(done := done + len(keys) - len(missing))
        for key, made in zip(missing, workers([wanted[key] for key in missing]), strict=True):
            if isinstance(made, str):
                refused[key] = made
            else:
                store.put(key, made)
            progress(done := done + 1)
    return refused


def _made(instruments: Instruments, item: Item) -> Made:
    try:
        return raw_ends(*item, instruments)
    except ExplorerError as error:
        return str(error)
