"""What the networks learned of elements, atoms and electrodes, as maps in the plane."""

from pathlib import Path

from core.settings import Settings
from core.voltage.embeddings import (
    ELEMENT_CLASSES,
    RANDOM,
    SHIPPED,
    AtomMap,
    ElectrodeMap,
    InsideMaps,
    read_maps,
)

__all__ = [
    "ELEMENT_CLASSES",
    "RANDOM",
    "SHIPPED",
    "AtomMap",
    "ElectrodeMap",
    "InsideMaps",
    "maps_file",
    "read_maps",
]


def maps_file(name: str) -> Path:
    """Return the file that holds the maps of a network; it may be absent."""
    return Settings.from_environment().precomputed / "inside" / f"{name}.npz"
