"""Records to JSON and back: the same record, or the field that is wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from core.codec import from_json, to_json
from core.errors import RecordError
from core.records import Crystal


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    value_ev: float
    axis: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.value_ev < 0:
            raise RecordError(f"value_ev is {self.value_ev}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    inner: Inner
    count: int
    names: Mapping[str, float] = field(default_factory=dict)
    maybe: Inner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    crystal: Crystal


RECORD = Outer(inner=Inner(value_ev=1.5, axis=(1.0, 2.0)), count=3, names={"a": 0.1})


def test_what_was_written_is_read_back() -> None:
    assert from_json(Outer, json.loads(json.dumps(to_json(RECORD)))) == RECORD


def test_a_crystal_inside_a_record_keeps_every_bit() -> None:
    crystal = Crystal(
        id="c", formula="MgO", lattice_a=np.eye(3) * (4.2 + 1e-13), species=("Mg", "O"),
        frac=np.array([[0, 0, 0], [0.5, 0.5, 1 / 3]]), source="test", license="CC BY 4.0",
    )  # fmt: skip
    again = from_json(Holder, json.loads(json.dumps(to_json(Holder(crystal=crystal))))).crystal
    assert (again.lattice_a == crystal.lattice_a).all() and (again.frac == crystal.frac).all()
    assert (again.id, again.species, again.license) == (crystal.id, crystal.species, crystal.license)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": "3"}, "count: Input should be a valid integer"),
        ({"inner": {"value_ev": None}}, "inner.value_ev"),
        ({"inner": {"value_ev": -1.0}}, "value_ev is -1"),
        ({"colour": "red"}, "unknown fields 'colour'"),
        ({"names": [1]}, "names"),
    ],
)
def test_another_form_is_refused_by_the_name_of_its_field(change: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        from_json(Outer, to_json(RECORD) | change)


def test_a_missing_field_without_default_is_named() -> None:
    with pytest.raises(RecordError, match="count: Field required"):
        from_json(Outer, {"inner": {"value_ev": 1.0}})


@pytest.mark.parametrize("found", [None, [], "text", 3])
def test_what_is_no_object_is_refused(found: object) -> None:
    with pytest.raises(RecordError, match="an object with named fields"):
        from_json(Outer, found)


def test_nan_is_not_written() -> None:
    with pytest.raises(RecordError, match="a number or nothing"):
        to_json(replace(RECORD, names={"a": float("nan")}))


def test_a_crystal_of_another_form_is_a_record_error() -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        from_json(Holder, {"crystal": {"id": "c"}})
