"""The kinds of voltage model: a line each, imported when it is first asked for.

The module of a kind holds a `KIND`, or `KINDS` by name where several share their code. Those that ship weights:
`relaxed-ends` (the default), `frozen-host` (the fast one, a quarter of its cost) and `cgcnn`; the others are baselines,
cross-validated by the benchmarks.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

from core.errors import ModelError
from core.voltage.base import VoltageKind

_MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "frozen-host": "frozen_host",
        "relaxed-ends": "relaxed_ends",
        "cgcnn": "cgcnn",
        "original-cgcnn": "original_cgcnn",
        "magpie-forest": "tabular",
        "magpie-boosting": "tabular",
        "crystal-boosting": "tabular",
        "soap-kernel-ridge": "tabular",
        "schnet": "graph_networks",
        "megnet": "graph_networks",
    }
)
KINDS: Final = tuple(_MODULES)
SHIPPED: Final = ("frozen-host", "relaxed-ends", "cgcnn")
"""Kinds that can be trained for use and read back from their weights."""


def voltage_kind(name: str) -> VoltageKind:
    """Return a kind by name; raise `ModelError` for one that is not known."""
    if name not in _MODULES:
        raise ModelError(f"{name!r} is not a kind of voltage model; this version knows {', '.join(KINDS)}.")
    module = import_module(f"{__name__}.{_MODULES[name]}")
    kind: VoltageKind = module.KINDS[name] if hasattr(module, "KINDS") else module.KIND
    return kind
