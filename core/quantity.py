"""What a quantity is: its name and unit, its words, and how a value of it is written (`core.quantities` lists all)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

Kind = Literal["number", "text", "flag"]

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "_mev_per_atom_per_ps": "meV/atom/ps", "_atom_steps_per_s": "atom-steps/s", "_ev_per_atom": "eV/atom",
        "_mah_per_g": "mAh/g", "_ah_per_l": "Ah/L", "_ms_per_cm": "mS/cm", "_cm2_per_s": "cm²/s", "_ev_per_a": "eV/Å",
        "_percent": "%", "_a3": "Å³", "_a2": "Å²", "_ev": "eV", "_fs": "fs", "_ps": "ps", "_a": "Å", "_k": "K",
        "_s": "s", "_v": "V", "_usd_per_kg": "USD/kg", "_wh_per_l": "Wh/L", "_wh_per_kg": "Wh/kg",
        "_deg": "°", "_gpa": "GPa",
    }
)  # fmt: skip
"""What the end of a name says about its unit; longer ends come first, because they hold shorter ones."""

_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def unit_of(name: str) -> str:
    """Return the unit that the end of a quantity's name stands for, or an empty text for a pure number or a word."""
    return next((unit for end, unit in UNITS.items() if f"_{name}".endswith(end)), "")


def is_missing(value: Any) -> bool:
    """Return whether a value stands for nothing: None, NaN of any size, or pandas' NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # NA is neither equal to itself nor unequal
        return True
    except ValueError:  # an array is something
        return False


def significant(value: float, digits: int = 2) -> str:
    """Return a number to `digits` significant digits, thousands separated; numbers far below 0.001 as 1.3×10⁻⁵."""
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    if decimals > digits + 2:
        return scientific(value, digits)
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def scientific(value: float, digits: int = 2) -> str:
    """Return a number to `digits` significant digits as 1.3×10⁻⁵."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def chance(probability: float) -> str:
    """Return a probability to whole per cent; what follows from a prediction is never a certainty."""
    if 0.0 < probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{100.0 * probability:.0f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity as it is stored and as people read it.

    `name`: of the column or field, with its unit at the end. `label`: what it is called; `short`: the same where there
    is little room; `head`: over a column, with the unit. `format`: how a number is written, as Python writes it
    (`.2f`, `,.0f`, `.3g`, `.2e`, `,d`). `help`: one sentence on what it means.
    """

    name: str
    label: str
    kind: Kind = "text"
    format: str = ""
    help: str = ""
    short: str = ""
    head: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "short", self.short or self.label)
        object.__setattr__(self, "head", self.head or self._with_unit(self.short))

    @property
    def unit(self) -> str:
        """The unit, or an empty text."""
        return unit_of(self.name) if self.kind == "number" else ""

    @property
    def axis(self) -> str:
        """The title of an axis: the label with its unit."""
        return self._with_unit(self.label)

    def axis_of(self, words: str) -> str:
        """Return the title of an axis with further words right after the label: " vs Mg", ", all ions"."""
        return self._with_unit(self.label + words)

    def text(self, value: Any, missing: str = "not known") -> str:
        """Return a value as people read it, a number with its unit; `missing` for None and NaN."""
        if is_missing(value):
            return missing
        if self.kind == "number":
            return f"{self.number(float(value))} {self.unit}".rstrip()
        return ("yes" if value else "no") if self.kind == "flag" else str(value)

    def between(self, low: Any, high: Any) -> str:
        """Return `low to high unit`, or an empty text where either is missing."""
        if is_missing(low) or is_missing(high):
            return ""
        return f"{self.number(float(low))} to {self.number(float(high))} {self.unit}".rstrip()

    def number(self, value: float) -> str:
        """Return a number in the quantity's format, without its unit; powers of ten as people write them."""
        if self.name.startswith("p_") and self.format == ".0%":
            return chance(value)
        if self.format.endswith("e"):
            return scientific(value, int(self.format[1:-1]) + 1)
        if self.format.endswith("g"):
            return significant(value, int(self.format[1:-1]))
        return format(round(value) if self.format.endswith("d") else value, self.format)

    def _with_unit(self, words: str) -> str:
        return f"{words} ({self.unit})" if self.unit else words


def number(name: str, label: str, format: str, help: str = "", **words: str) -> Quantity:
    """Return a quantity that is a number."""
    return Quantity(name=name, label=label, kind="number", format=format, help=help, **words)


def text(name: str, label: str, help: str = "", **words: str) -> Quantity:
    """Return a quantity in words."""
    return Quantity(name=name, label=label, kind="text", help=help, **words)


def flag(name: str, label: str, help: str = "", **words: str) -> Quantity:
    """Return a quantity that is yes or no."""
    return Quantity(name=name, label=label, kind="flag", help=help, **words)
