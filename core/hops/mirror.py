"""Whether symmetry turns a hop around, so that its second half is the first one backwards."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

SYMPREC_A: Final = 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mirror:
    """A symmetry of the cell that takes the ion's start to its end and back.

    x -> `rotation` x + `shift` in fractional coordinates; atom i of the turned cell is atom `source[i]`, and lies
    `cells[i]` lattice vectors off where the operation puts it.
    """

    rotation: NDArray[np.int64]
    shift: Floats
    source: NDArray[np.int64]
    cells: NDArray[np.int64]

    def turned(self, atoms: Atoms) -> Atoms:
        """Return the cell at the other end of the hop."""
        frac = atoms.cell.scaled_positions(atoms.positions)
        moved = frac @ self.rotation.T + self.shift
        turned: Atoms = atoms.copy()
        turned.positions = (moved[self.source] + self.cells) @ atoms.cell.array
        return turned


def mirror(atoms: Atoms, step_a: Floats, *, symprec_a: float = SYMPREC_A) -> Mirror | None:
    """Return a symmetry that turns the hop of the last atom by `step_a` around, None where there is none."""
    import spglib

    ends = atoms.copy()
    ends += Atoms([atoms.symbols[-1]], positions=[atoms.positions[-1] + step_a])
    frac = ends.cell.scaled_positions(ends.positions)
    numbers = ends.numbers.copy()
    numbers[-2:] = 119  # both places of the ion, told apart from ions at rest
    found = spglib.get_symmetry((ends.cell.array, frac, numbers), symprec=symprec_a)
    if found is None:
        return None
    n = len(atoms) - 1
    for rotation, shift in zip(found["rotations"], found["translations"], strict=True):
        moved = frac @ rotation.T + shift
        if not _is_at(moved[n], frac[n + 1], ends, symprec_a) or not _is_at(
            moved[n + 1], frac[n], ends, symprec_a
        ):
            continue
        if (answer := _of(rotation, shift, moved, frac, ends, n)) is not None:
            return answer
    return None


def _of(rotation: Any, shift: Floats, moved: Floats, frac: Floats, ends: Atoms, n: int) -> Mirror | None:
    goal = np.vstack([frac[:n], frac[n + 1]])
    apart = goal[:, None] - moved[None, : n + 1]
    lengths_a = np.linalg.norm((apart - np.rint(apart)) @ ends.cell.array, axis=2)
    lengths_a[ends.numbers[: n + 1, None] != ends.numbers[None, : n + 1]] = np.inf
    source = lengths_a.argmin(axis=1)
    if len(set(source.tolist())) != n + 1 or source[n] != n:
        return None
    cells = np.rint(apart[np.arange(n + 1), source]).astype(np.int64)
    return Mirror(rotation=np.asarray(rotation), shift=np.asarray(shift), source=source, cells=cells)


def _is_at(place: Floats, other: Floats, atoms: Atoms, symprec_a: float) -> bool:
    apart = place - other
    return bool(np.linalg.norm((apart - np.rint(apart)) @ atoms.cell.array) < 2.0 * symprec_a)
