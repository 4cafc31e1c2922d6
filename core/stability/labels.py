"""What formation energies are fitted to: the electrodes' structures that state one, on the scale of the table.

The structures and the table are two vintages of the Materials Project that differ in the energies of some elements (O
by 7 meV): where both hold a composition, the difference is

    E_f(structure) - E_f(table) = sum over elements of x_e shift_e

to a tenth of a meV for most. The shifts are fitted to the compositions common to both, by least absolute differences,
and taken off.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from core.errors import HullError
from core.records import Crystal, FloatArray
from core.sources.reference import ELECTRODE_STRUCTURES, read_electrode_structures, read_electrodes
from core.stability.phases import Phase

if TYPE_CHECKING:
    from core.potentials import Potential

SAME_ENTRY_EV_PER_ATOM: Final = 0.02
"""Further apart, the table's lowest entry of a composition is another structure."""

FEWEST_PAIRS: Final = 10
"""Common compositions of an element, below which it gets no shift."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """A structure with its stated formation energy, and its hull energy if stated, eV/atom.

    `group` is one for all structures that share a composition or a host. `ends`: which end of which ion's electrodes it
    is, such as `Mg charged`.
    """

    crystal: Crystal
    formation_energy_ev_per_atom: float
    e_above_hull_ev_per_atom: float | None
    group: int
    ends: frozenset[str]

    @property
    def composition(self) -> Counter[str]:
        """Atoms of the cell by element."""
        return Counter(self.crystal.species)


def read_labelled(data: Path) -> list[Labelled]:
    """Return the electrodes' structures that state a formation energy; raise `SourceError` for absent data."""
    crystals = read_electrode_structures(data)
    stated = _stated(data / ELECTRODE_STRUCTURES)
    electrodes = read_electrodes(data)
    ends: dict[str, set[str]] = {id: set() for id in crystals}
    hosts: dict[str, set[str]] = {id: set() for id in crystals}
    for it in electrodes:
        for id, end in ((it.id_charge, "charged"), (it.id_discharge, "discharged")):
            if id in crystals:
                ends[id].add(f"{it.working_ion} {end}")
                hosts[id].add(f"host {it.host_formula}")
    groups = _groups({id: {_reduced(crystal), *hosts[id]} for id, crystal in crystals.items()})
    return [
        Labelled(
            crystal=crystals[id], formation_energy_ev_per_atom=energy, e_above_hull_ev_per_atom=above,
            group=groups[id], ends=frozenset(ends[id]),
        )
        for id, (energy, above) in stated.items() if energy is not None
    ]  # fmt: skip


def shifts(labelled: Sequence[Labelled], table: Iterable[Phase]) -> dict[str, float]:
    """Return, by element, what to take off a structure's formation energy (eV per atom of it) to meet the table."""
    from pymatgen.core import Composition

    lowest: dict[str, Labelled] = {}
    for it in sorted(labelled, key=lambda it: -it.formation_energy_ev_per_atom):
        lowest[_reduced(it.crystal)] = it
    energies = {Composition(row.formula).reduced_formula: row.formation_energy_ev_per_atom for row in table}
    pairs = [
        (it.composition, it.formation_energy_ev_per_atom - energies[formula])
        for formula, it in lowest.items()
        if formula in energies
    ]
    near = [(counts, apart) for counts, apart in pairs if abs(apart) < SAME_ENTRY_EV_PER_ATOM]
    seen = Counter(element for counts, _ in near for element in counts)
    elements = sorted(element for element, n in seen.items() if n >= FEWEST_PAIRS)
    x = np.array([[counts[it] / sum(counts.values()) for it in elements] for counts, _ in near])
    fitted = _least_absolute(x, np.array([apart for _, apart in near]))
    return {
        element: round(float(shift), 5)
        for element, shift in zip(elements, fitted, strict=True)
        if abs(shift) > 5e-4
    }


def shift_of(composition: Mapping[str, float], shifts_ev: Mapping[str, float]) -> float:
    """Return the sum of the shifts of a composition, eV/atom."""
    return sum(shifts_ev.get(element, 0.0) * count for element, count in composition.items()) / sum(
        composition.values()
    )


def single_points(
    crystals: Sequence[Crystal], potential: "Potential", kept: Path,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float]:  # fmt: skip
    """Return the potential's energy of each cell as it is, eV, by id; `kept` is a file to which each is added at once.

    One that was stopped goes on from there. What the potential does not know is left out.
    """
    found = _read_kept(kept)
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = set(potential.card.elements)
    todo = [it for it in crystals if it.id not in found and known.issuperset(it.species)]
    with kept.open("a", encoding="utf-8") as stream:
        for done, crystal in enumerate(todo, start=1):
            found[crystal.id] = potential.evaluate(crystal.to_ase()).energy_ev
            stream.write(json.dumps({"id": crystal.id, "energy_ev": found[crystal.id]}) + "\n")
            stream.flush()
            on_progress(done, len(todo))
    return found


def _read_kept(path: Path) -> dict[str, float]:
    """A last line that a kill has cut is dropped, and its structure computed again."""
    if not path.is_file():
        return {}
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [json.loads(row) for row in rows if row.endswith("\n")]
    if len(whole) < len(rows):
        path.write_text("".join(rows[: len(whole)]), encoding="utf-8")
    return {row["id"]: row["energy_ev"] for row in whole}


def _stated(path: Path) -> dict[str, tuple[float | None, float | None]]:
    """Formation energy and energy above hull by id, which a `Crystal` of this file does not carry, on purpose."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
        return {row["id"]: (row.get("formation_energy_per_atom"), row.get("e_above_hull")) for row in rows}
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise HullError(f"{path} can't be read ({error}); copy the data set again.") from None


def _reduced(crystal: Crystal) -> str:
    from pymatgen.core import Composition

    return str(Composition(Counter(crystal.species)).reduced_formula)


def _groups(marks: Mapping[str, set[str]]) -> dict[str, int]:
    """Number the sets of ids that hang together by common marks."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = {mark: number for number, mark in enumerate(sorted(set().union(*marks.values())))}
    pairs = [(row, names[mark]) for row, own in enumerate(marks.values()) for mark in own]
    rows, columns = np.array(pairs).T
    size = len(marks) + len(names)
    graph = coo_array((np.ones(len(pairs)), (rows, columns + len(marks))), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return {id: int(labels[row]) for row, id in enumerate(marks)}


def _least_absolute(x: FloatArray, y: FloatArray) -> FloatArray:
    """(m,) of least sum |y - x b|, by weighted least squares over and over."""
    weights = np.ones(len(y))
    solution: FloatArray = np.zeros(x.shape[1])
    for _ in range(60):
        normal = x.T @ (weights[:, None] * x) + 1e-6 * np.eye(x.shape[1])
        solution = np.asarray(np.linalg.solve(normal, x.T @ (weights * y)), dtype=np.float64)
        weights = 1.0 / np.maximum(np.abs(y - x @ solution), 1e-5)
    return solution
