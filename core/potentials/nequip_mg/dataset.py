"""Which crystals the student learns from, and their labelled frames on disk, one file a crystal and round.

Every file depends on the seed, the round and the crystal alone, so that a stopped run goes on where it was and several
processes may share the work.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.stress import full_3x3_to_voigt_6_stress

from core.artifacts import locked, replacing
from core.errors import TrainingError
from core.potentials.nequip_mg.frames import Frame, Generator
from core.records import Crystal

MAX_SITES: Final = 60
N_RANKED: Final = 60
N_UNSEEN: Final = 20
PER_ELEMENT: Final = 4
"""Each element of the shortlist occurs in so many crystals of the set, where there are so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`train`: crystals to learn from. `unseen`: of compositions that no crystal to learn from has.

    `more`: crystals of the same elements and other compositions than the unseen ones, for later rounds.
    """

    train: tuple[Crystal, ...]
    unseen: tuple[Crystal, ...]
    more: tuple[Crystal, ...] = ()


def select(
    ranked: Sequence[Crystal], *, n_train: int, seed: int, always: Sequence[Crystal] = ()
) -> Selection:
    """Choose crystals from the ranked shortlist: `always`, its head, every element `PER_ELEMENT` times, then at random.

    Unseen ones are drawn at random from below the head, where each of their elements is in three other compositions
    at least. Raises `TrainingError` for an empty shortlist.
    """
    if not ranked:
        raise TrainingError("The shortlist is empty: lower the limits for voltage and capacity.")
    small = [crystal for crystal in ranked if crystal.n_sites <= MAX_SITES]
    rng = np.random.default_rng(seed)
    head = _by_formula(small)[:N_RANKED]
    barred = {crystal.formula for crystal in (*head, *always)}
    shuffled = [small[int(index)] for index in rng.permutation(len(small))]
    unseen = _unseen(shuffled, barred)
    left_out = {crystal.formula for crystal in unseen}
    train = {crystal.id: crystal for crystal in (*always, *head)}
    rest = [crystal for crystal in shuffled if crystal.formula not in left_out]
    train |= {crystal.id: crystal for crystal in _cover(rest, train.values())}
    for crystal in rest:
        if len(train) >= n_train:
            break
        train.setdefault(crystal.id, crystal)
    return Selection(train=tuple(train.values()), unseen=tuple(unseen))


def with_more(selection: Selection, candidates: Sequence[Crystal], *, n: int, seed: int) -> Selection:
    """Return the selection with `n` further crystals of its elements, drawn at random from the candidates."""
    elements = {element for crystal in selection.train for element in crystal.species}
    barred = {crystal.formula for crystal in selection.unseen}
    known = {crystal.id for crystal in selection.train}
    fit = [
        crystal
        for crystal in candidates
        if crystal.n_sites <= MAX_SITES
        and crystal.formula not in barred
        and crystal.id not in known
        and elements.issuperset(crystal.species)
    ]
    order = np.random.default_rng(seed).permutation(len(fit))[:n]
    return replace(selection, more=tuple(fit[int(index)] for index in order))


def _by_formula(crystals: Iterable[Crystal]) -> list[Crystal]:
    first: dict[str, Crystal] = {}
    for crystal in crystals:
        first.setdefault(crystal.formula, crystal)
    return list(first.values())


def _unseen(shuffled: Sequence[Crystal], barred: set[str]) -> list[Crystal]:
    one_each = _by_formula(shuffled)
    counts = Counter(element for crystal in one_each for element in set(crystal.species))
    unseen: list[Crystal] = []
    for crystal in one_each:
        elements = set(crystal.species)
        if crystal.formula in barred or min(counts[element] for element in elements) < 4:
            continue
        unseen.append(crystal)
        counts.subtract(elements)
        if len(unseen) == N_UNSEEN:
            break
    return unseen


def _cover(rest: Sequence[Crystal], chosen: Iterable[Crystal]) -> list[Crystal]:
    """Return crystals so that each element is there `PER_ELEMENT` times; rare elements first, small cells first."""
    counts = Counter(element for crystal in chosen for element in set(crystal.species))
    occurrence = Counter(element for crystal in rest for element in set(crystal.species))
    small_first = sorted(rest, key=lambda crystal: crystal.n_sites)
    covering: dict[str, Crystal] = {}
    for element, _ in sorted(occurrence.items(), key=lambda item: (item[1], item[0])):
        for crystal in small_first:
            if counts[element] >= PER_ELEMENT:
                break
            if element in crystal.species and crystal.id not in covering:
                covering[crystal.id] = crystal
                counts.update(set(crystal.species))
    return list(covering.values())


def label_crystals(
    crystals: Sequence[Crystal],
    make: Callable[[Crystal, Generator], Iterator[Frame]],
    *,
    folder: Path,
    seed: int,
    on_crystal: Callable[[int, int], None] | None = None,
) -> None:
    """Write `folder/ID.extxyz` for every crystal that has none yet; `make` yields its frames.

    A crystal that another process works on is passed over; where that process dies, the next call takes it up.
    The generator of random numbers of a crystal comes from the seed, the folder's name and its id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index, crystal in enumerate(crystals):
        path = frames_path(folder, crystal.id)
        if not path.exists():
            with locked(path.with_suffix(".lock"), wait=False) as is_ours:
                # Looked at again under the lock: another process may have just ended it.
                if is_ours and not path.exists():
                    rng = np.random.default_rng([seed, _number(folder.name), _number(crystal.id)])
                    _write(path, make(crystal, rng))
        if on_crystal:
            on_crystal(index + 1, len(crystals))


def frames_path(folder: Path, crystal_id: str) -> Path:
    """Return where the frames of a crystal lie."""
    return folder / f"{crystal_id.replace(':', '_')}.extxyz"


def read_frames(folder: Path, ids: Iterable[str]) -> list[Atoms]:
    """Return the labelled frames of these crystals, in order; crystals without a file are passed over."""
    frames: list[Atoms] = []
    for crystal_id in ids:
        path = frames_path(folder, crystal_id)
        if path.exists() and path.stat().st_size:
            frames += read(path, ":")
    return frames


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def _write(path: Path, frames: Iterable[Frame]) -> None:
    images = []
    for frame in frames:
        atoms = frame.atoms
        atoms.info.update(crystal_id=frame.crystal_id, kind=frame.kind)
        atoms.calc = SinglePointCalculator(
            atoms, energy=frame.energy_ev, forces=frame.forces_ev_per_a,
            stress=full_3x3_to_voigt_6_stress(frame.stress_ev_per_a3),
        )  # fmt: skip
        images.append(atoms)
    with replacing(path) as partial:
        if images:
            write(partial, images, format="extxyz")
        else:
            partial.touch()
