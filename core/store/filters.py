"""The filters of a screening that are not thresholds, as a SQL condition with bound parameters."""

import re
from dataclasses import dataclass
from typing import Any, Final

_FORMULA: Final = re.compile(r"(?:[A-Z][a-z]?|[()\d.])+")


def element_key(elements: str) -> str:
    """Return elements joined by dashes (or one alone) as they are looked for in the column `element_key`."""
    return f"-{elements}-"


def reduced_formula(text: str) -> str:
    """Return a formula as candidates carry it, Mg(CoO2)2 for MgCo2O4; a text that is none comes back as it is."""
    if not _FORMULA.fullmatch(text.strip()):
        return text
    from pymatgen.core import Composition

    try:
        return str(Composition(text.strip()).reduced_formula)
    except (ValueError, KeyError):
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which candidates to look at; the defaults let every candidate through.

    `required_elements` must all be there, `forbidden_elements` must not, `redox_metals` asks for at least one.
    `sources`, where given, lists the sources to keep. `max_e_above_hull_ev_per_atom` keeps candidates of unknown hull
    energy unless `keep_unknown_hull` is false. `text` is looked for in id and formula, letter case ignored; one that is
    a formula finds its composition however it is written (MgCo2O4, Mg(CoO2)2).
    """

    required_elements: tuple[str, ...] = ()
    forbidden_elements: tuple[str, ...] = ()
    redox_metals: tuple[str, ...] = ()
    sources: tuple[str, ...] | None = None
    max_e_above_hull_ev_per_atom: float | None = None
    keep_unknown_hull: bool = True
    in_domain_only: bool = False
    with_anion_only: bool = False
    text: str = ""

    def condition(self) -> tuple[str, list[Any]]:
        """Return a SQL condition over the view `screening` and its parameters; no value enters the SQL text."""
        parts: list[tuple[str, list[Any]]] = []
        parts += [("contains(element_key, ?)", [element_key(it)]) for it in self.required_elements]
        parts += [("NOT contains(element_key, ?)", [element_key(it)]) for it in self.forbidden_elements]
        if self.redox_metals:
            any_of = " OR ".join(["contains(element_key, ?)"] * len(self.redox_metals))
            parts.append((f"({any_of})", [element_key(it) for it in self.redox_metals]))
        if self.sources is not None:
            parts.append(("list_contains(?::VARCHAR[], source)", [list(self.sources)]))
        if self.max_e_above_hull_ev_per_atom is not None:
            unknown = "TRUE" if self.keep_unknown_hull else "FALSE"
            parts.append(
                (
                    f"coalesce(e_above_hull_ev_per_atom <= ?, {unknown})",
                    [float(self.max_e_above_hull_ev_per_atom)],
                )
            )
        if self.in_domain_only:
            parts.append(("in_domain", []))
        if self.with_anion_only:
            parts.append(("has_anion", []))
        if self.text:
            parts.append(
                (
                    "(contains(lower(formula), lower(?)) OR contains(lower(id), lower(?)) OR formula = ?)",
                    [self.text, self.text, reduced_formula(self.text)],
                )
            )
        condition = " AND ".join(text for text, _ in parts) or "TRUE"
        return condition, [value for _, values in parts for value in values]
