"""The phases on the convex hull of their own chemical systems: formula and formation energy, shipped as a small table.

A compound that lies above the hull of its own elements lies above every larger one, so that the stable phases alone
give the whole hull. Elements are 0 by definition and stand in no row.

Formation energies of the Materials Project, 2019/2020 (GGA and GGA+U with the corrections of that time), as Bartel and
others repackaged them: npj Comput. Mater. 6, 97 (2020), doi:10.1038/s41524-020-00362-y; CC BY 4.0. For hulls only: a
voltage is a difference of these energies, and no voltage model may read them.
"""

import csv
import gzip
import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from core.artifacts import read_card, write_bytes, write_json
from core.errors import HullError
from core.provenance import sha256_of_file
from core.settings import Settings

TABLE: Final = "mp_formation_energies.csv.gz"
"""In the folder of the reference data."""

PHASES: Final = "phases"
"""Name of the shipped table and of its card."""

COLUMNS: Final = ("formula", "formation_energy_ev_per_atom")
SOURCE: Final = "Materials Project 2019/2020 by Bartel and others (2020), doi:10.1038/s41524-020-00362-y"
LICENCE: Final = "CC BY 4.0"

_RESTORE: Final = (
    "Restore it from git (`git checkout -- precomputed/hull`) or run `python -m core hull phases`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A composition (formula as reduced or not) and its formation energy, eV/atom."""

    formula: str
    formation_energy_ev_per_atom: float


class Phases:
    """Phases by chemical system; `version` names the table that they come from."""

    def __init__(self, phases: Iterable[Phase], *, version: str) -> None:
        from pymatgen.core import Composition

        self.version = version
        self._by_system: dict[frozenset[str], list[Phase]] = defaultdict(list)
        for phase in phases:
            elements = frozenset(element.symbol for element in Composition(phase.formula))
            self._by_system[elements].append(phase)
        self.elements = frozenset().union(*self._by_system) if self._by_system else frozenset()

    def __len__(self) -> int:
        return sum(len(phases) for phases in self._by_system.values())

    def within(self, elements: Iterable[str]) -> list[Phase]:
        """Return the phases of all chemical systems that these elements span."""
        symbols = sorted(set(elements))
        systems = (
            frozenset(part) for size in range(1, len(symbols) + 1) for part in combinations(symbols, size)
        )
        return [phase for system in systems for phase in self._by_system.get(system, ())]

    def systems(self) -> list[frozenset[str]]:
        """Return the chemical systems that hold a phase, the small ones first."""
        return sorted(self._by_system, key=lambda system: (len(system), sorted(system)))

    def of(self, system: frozenset[str]) -> list[Phase]:
        """Return the phases that hold exactly these elements."""
        return list(self._by_system.get(system, ()))


def hull_folder() -> Path:
    """Return the folder of what ships for hulls."""
    return Settings.from_environment().precomputed / "hull"


@lru_cache(maxsize=1)
def shipped_phases() -> Phases:
    """Return the shipped phases, read once a process. Raises `HullError` where they are missing or damaged."""
    return read_phases(hull_folder())


def read_phases(folder: Path) -> Phases:
    """Return the phases of a folder after the check of their hash. Raises `HullError` for missing or damaged ones."""
    path = folder / f"{PHASES}.csv.gz"
    card = read_card(folder, PHASES, required=("sha256",), remedy=_RESTORE)
    if not path.is_file():
        raise HullError(f"The table of phases {path.name} is missing. {_RESTORE}")
    if sha256_of_file(path) != card["sha256"]:
        raise HullError(f"The table of phases {path.name} is not the one that its card names. {_RESTORE}")
    return Phases(_rows(path), version=card["sha256"][:12])


def read_table(path: Path) -> list[Phase]:
    """Return all rows of the reference data's table; raise `HullError` for one that is absent or cut."""
    if not path.is_file():
        raise HullError(
            f"{path} is not there. Put the reference data at {path.parent}, or name its folder (`--data FOLDER`)."
        )
    return list(_rows(path))


def write_phases(folder: Path, phases: Iterable[Phase], card: Mapping[str, Any]) -> Path:
    """Write the table, then its card with the hash, and return the table's path; same phases, same bytes."""
    ordered = sorted(phases, key=lambda phase: phase.formula)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((phase.formula, repr(phase.formation_energy_ev_per_atom)) for phase in ordered)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{PHASES}.csv.gz"
    write_bytes(path, gzip.compress(text.getvalue().encode(), mtime=0))
    about = {"name": PHASES, "n_phases": len(ordered), **card, "sha256": sha256_of_file(path)}
    write_json(folder / f"{PHASES}.json", about)
    return path


def stable_phases(
    phases: Phases, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Phase]:
    """Return those phases that lie on the hull of their own chemical system.

    Systems go by size, so that a larger one is built from what was found stable in its parts. Takes minutes for the
    whole table. Of two rows of one composition the lower counts.
    """
    from core.stability.hull import phase_diagram

    systems = phases.systems()
    stable: list[Phase] = []
    found = Phases([], version=phases.version)
    for done, system in enumerate(systems, start=1):
        own = phases.of(system)
        diagram = phase_diagram([*found.within(system), *own], system)
        kept = {entry.name for entry in diagram.stable_entries}
        on_hull = [phase for phase in own if phase.formula in kept]
        found._by_system[system] = on_hull
        stable += on_hull
        on_progress(done, len(systems))
    return stable


def _rows(path: Path) -> Iterator[Phase]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            lines = csv.reader(stream)
            next(lines)
            for formula, energy in lines:
                value = float(energy)
                if not math.isfinite(value):
                    raise ValueError(f"{formula} has {energy}")
                yield Phase(formula=formula, formation_energy_ev_per_atom=value)
    except (OSError, EOFError, ValueError, StopIteration) as error:
        raise HullError(f"{path.name} is no table of formation energies ({error}). {_RESTORE}") from None
