"""Every calculation has one shape: a frozen `Spec` that is asked gives a frozen `Result`.

    spec = DiffusionSpec.planned(crystal=crystal, protocol=PROTOCOLS["quick"], potential=default_potential())
    spec.key, spec.name                    # identity by content, and the name of its folder
    read_spec(spec.to_dict()).key == spec.key
    spec.needs()                           # what must be finished before, such as a fine-tuned potential
    all_kinds()                                # every kind there is: one module each

`core.tasks` runs them; the store keeps them. How to add a kind: ARCHITECTURE.md, and `tests/calculations/toy_kind.py`.
"""

from core.calculations.base import (
    Calculation,
    Context,
    CrystalSpec,
    DerivedSpec,
    Figure,
    Result,
    Spec,
    Stopped,
    Subject,
)
from core.calculations.records import from_record, to_record
from core.calculations.registry import all_kinds, kind_named, read_result, read_spec

__all__ = [
    "Calculation",
    "Context",
    "CrystalSpec",
    "DerivedSpec",
    "Figure",
    "Result",
    "Spec",
    "Stopped",
    "Subject",
    "all_kinds",
    "from_record",
    "kind_named",
    "read_result",
    "read_spec",
    "to_record",
]
