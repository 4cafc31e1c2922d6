"""Which kinds of calculation there are: every module of `core.calculations.kinds`, and those that MGC_KINDS names."""

import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from core.calculations import kinds as shipped_kinds
from core.calculations.base import Result, Spec
from core.errors import CalculationError, RecordError
from core.settings import Settings


def all_kinds() -> dict[str, type[Spec]]:
    """Return the spec class of each kind by its name; raise `CalculationError` for a module that offers none.

    MGC_KINDS lists further modules, separated by commas; a worker inherits it.
    """
    modules = [f"{shipped_kinds.__name__}.{it.name}" for it in pkgutil.iter_modules(shipped_kinds.__path__)]
    specs = [_spec_class(module) for module in (*modules, *Settings.from_environment().kinds)]
    return {spec.kind: spec for spec in specs}


def kind_named(name: str) -> type[Spec]:
    """Return the spec class of a kind; raise `CalculationError` for a name that is none."""
    known = all_kinds()
    if name not in known:
        raise CalculationError(
            f"{name!r} is not a kind of calculation; known are {', '.join(sorted(known))}. If it came with a module of "
            "its own, name that in MGC_KINDS."
        )
    return known[name]


def read_spec(given: Mapping[str, Any]) -> Spec:
    """Return the spec that a JSON object holds, of any kind and version.

    One without a kind is of the time when molecular dynamics was the only one. Raises `CalculationError` for an unknown
    kind or a newer version, `RecordError` for another form.
    """
    with _as_record_error():
        return kind_named(given.get("kind", "diffusion")).from_dict(given)


def read_result(given: Mapping[str, Any]) -> Result:
    """Return the result that a JSON object holds; raise as `read_spec` does."""
    with _as_record_error():
        return kind_named(given.get("kind", "diffusion")).result_type.from_dict(given)


@contextmanager
def _as_record_error() -> Iterator[None]:
    """Kinds, also foreign ones, read what they are given: what they trip over is another form."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{type(error).__name__} {error}") from error


def _spec_class(module: str) -> type[Spec]:
    try:
        spec = getattr(import_module(module), "SPEC", None)
    except ImportError as error:
        raise CalculationError(f"MGC_KINDS names {module!r}, which cannot be imported: {error}.") from error
    if not (isinstance(spec, type) and issubclass(spec, Spec)):
        raise CalculationError(f"The module {module} names no kind: SPEC must be a subclass of Spec.")
    return spec
