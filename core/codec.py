"""Records to JSON and back: one strict way for all that is written to disk and read again.

    fields = to_json(record)              # plain dicts, lists, numbers, texts
    record = from_json(Record, fields)    # the same record, or a RecordError that names the field

Nested dataclasses, tuples, mappings and optional fields are followed by their annotations; a text is no number, and a
field that the record does not have is refused: it was written by a version that this one is not.
"""

import json
from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import RecordError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Record = TypeVar("Record")


def to_json(record: object) -> dict[str, Any]:
    """Return a record's fields as JSON holds them; raise `RecordError` for NaN and infinity."""
    fields: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json")
    try:
        json.dumps(fields, allow_nan=False)
    except ValueError as error:
        raise RecordError(f"{type(record).__name__}: {error}; a number or nothing is needed.") from None
    return fields


def from_json(kind: type[Record], fields: object) -> Record:
    """Return the record that `to_json` wrote; raise `RecordError` for fields missing, unknown or of another type.

    Whole numbers pass for floats. What the record checks itself raises as it does where the record is made.
    """
    from pydantic import ValidationError

    if not isinstance(fields, Mapping):
        raise RecordError(
            f"{kind.__name__}: {type(fields).__name__} found; an object with named fields is needed."
        )
    unknown = sorted(set(fields) - {field.name for field in fields_of(kind)})  # type: ignore[arg-type]
    if unknown:
        raise RecordError(
            f"{kind.__name__}: unknown fields {', '.join(map(repr, unknown[:5]))}; it was written by another version."
        )
    try:
        record: Record = _adapter(kind).validate_json(json.dumps(dict(fields)), strict=True)
    except ValidationError as error:
        raise RecordError(f"{kind.__name__}: {_first_problem(error)}") from None
    except (TypeError, ValueError) as error:
        raise RecordError(f"{kind.__name__}: {error}") from None
    return record


_ADAPTERS: "dict[type[Any], TypeAdapter[Any]]" = {}
"""One for each kind of record, made when it is first asked for."""


def _adapter(kind: type[Any]) -> "TypeAdapter[Any]":
    if kind not in _ADAPTERS:
        from pydantic import TypeAdapter

        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _first_problem(error: Any) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the record"
    return f"{place}: {first['msg']}"
