"""The release that all faces read: opening it, and what it offers to filter by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.settings import Settings
from core.store import Filters, Reader, Release, current_version, open_reader

__all__ = ["Facets", "Filters", "Reader", "Release", "current_reader", "facets", "open_reader"]


def current_reader() -> Reader:
    """Return the open reader of the settings' current release, one for all pages and requests of a server.

    A release published meanwhile is picked up by the next call. Raises `StoreError` kinds where there is none to read.
    """
    folder = Settings.from_environment().precomputed
    return _opened(folder, current_version(folder))


@lru_cache(maxsize=4)
def _opened(folder: Path, version: str) -> Reader:
    return open_reader(folder)


@dataclass(frozen=True, kw_only=True)
class Facets:
    """What a release offers to filter by: candidates by element, source and redox metal.

    `n_conductivities` counts results of molecular dynamics, `n_simulated` the candidates that they belong to,
    `n_barriers` the candidates whose migration barrier is known.
    """

    n_candidates: int
    n_conductivities: int
    n_simulated: int
    n_barriers: int
    elements: Mapping[str, int]
    sources: Mapping[str, int]
    redox_metals: Mapping[str, int]


def facets(reader: Reader) -> Facets:
    """Return what a release offers to filter by, counted over all its candidates."""
    sources = reader.sources().groupby("source", sort=False)["n"].sum()
    elements, metals = reader.elements(), reader.redox_metals()
    return Facets(
        n_candidates=reader.release.counts["candidates"],
        n_conductivities=reader.release.counts["conductivities"],
        n_simulated=int(reader.conductivities()["id"].nunique()),
        n_barriers=int(reader.screen(columns=("barrier_ev",))["barrier_ev"].notna().sum()),
        elements=dict(zip(elements["element"], elements["n"].astype(int), strict=True)),
        sources=dict(zip(sources.index, sources.astype(int), strict=True)),
        redox_metals=dict(zip(metals["element"], metals["n"].astype(int), strict=True)),
    )
