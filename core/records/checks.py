"""What several records ask of their numbers."""

import math

from core.errors import RecordError


def finite(owner: str, **values: float | None) -> None:
    """Raise `RecordError` for a number that is given and not finite."""
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            raise RecordError(f"{owner}: {name} is {value}; a finite number or nothing is needed.")


def ordered(owner: str, name: str, low: float | None, value: float | None, high: float | None) -> None:
    """Raise `RecordError` for a value outside of its interval; an end that is not given bounds nothing."""
    given = [number for number in (low, value, high) if number is not None]
    if value is not None and given != sorted(given):
        raise RecordError(f"{owner}: {name} {value} is not within its interval, {low} to {high}.")
