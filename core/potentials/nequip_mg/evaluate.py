"""How far a potential is from the teacher on frames that the student never learnt from, shipped with the student."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from core.artifacts import replacing
from core.errors import ModelError
from core.potentials.base import Potential

GROUPS: Final = ("seen", "unseen")
"""Frames of compositions that the student learnt from, and of compositions that it never met."""

N_RESAMPLES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutFrames:
    """Labelled frames with the group, the crystal and the kind of each."""

    atoms: tuple[Atoms, ...]
    group: tuple[str, ...]
    crystal_id: tuple[str, ...]
    kind: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorLine:
    """Mean absolute errors of one group of frames with 95 % intervals over its crystals.

    `zero_force` is the error of predicting no force at all.
    """

    group: str
    kind: str
    n_frames: int
    n_crystals: int
    force_mae_ev_per_a: float
    force_low_ev_per_a: float
    force_high_ev_per_a: float
    energy_mae_ev_per_atom: float
    energy_low_ev_per_atom: float
    energy_high_ev_per_atom: float
    zero_force_ev_per_a: float


def write_test_frames(path: Path, groups: dict[str, Sequence[Atoms]]) -> None:
    """Write frames that carry energies and forces, and `crystal_id` and `kind` in their info, as one npz file."""
    frames = [(group, atoms) for group, members in groups.items() for atoms in members]
    every = [atoms for _, atoms in frames]
    arrays: dict[str, Any] = {
        "group": np.array([group for group, _ in frames]),
        "crystal_id": np.array([atoms.info["crystal_id"] for atoms in every]),
        "kind": np.array([atoms.info["kind"] for atoms in every]),
        "n_atoms": np.array([len(atoms) for atoms in every]),
        "numbers": np.concatenate([atoms.numbers for atoms in every]).astype(np.uint8),
        "positions_a": np.concatenate([atoms.positions for atoms in every]).astype(np.float32),
        "cell_a": np.stack([atoms.cell.array for atoms in every]).astype(np.float32),
        "energy_ev": np.array([atoms.get_potential_energy() for atoms in every]),
        "forces_ev_per_a": np.concatenate([atoms.get_forces() for atoms in every]).astype(np.float32),
    }
    with replacing(path) as partial:
        np.savez_compressed(partial, **arrays)


def read_test_frames(path: Path) -> HeldOutFrames:
    """Return the frames of `write_test_frames`. Raises `ModelError` for a file that is absent or damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        ends = np.cumsum(arrays["n_atoms"])
        frames = []
        for index, end in enumerate(ends):
            rows = slice(int(end - arrays["n_atoms"][index]), int(end))
            atoms = Atoms(
                arrays["numbers"][rows],
                positions=arrays["positions_a"][rows],
                cell=arrays["cell_a"][index],
                pbc=True,
            )
            atoms.calc = SinglePointCalculator(
                atoms, energy=float(arrays["energy_ev"][index]), forces=arrays["forces_ev_per_a"][rows]
            )
            frames.append(atoms)
        named = {
            name: tuple(str(value) for value in arrays[name]) for name in ("group", "crystal_id", "kind")
        }
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"The test frames {path.name} cannot be read ({error}). Restore them from git "
            "(`git checkout -- precomputed/potentials`)."
        ) from None
    return HeldOutFrames(
        atoms=tuple(frames), group=named["group"], crystal_id=named["crystal_id"], kind=named["kind"]
    )


def evaluate(potential: Potential, frames: HeldOutFrames, *, seed: int = 0) -> list[ErrorLine]:
    """Return one line a group and kind of frame, and one a group over all kinds.

    Energies are compared per atom as they stand: ask only potentials of the teacher's energy scale for them.
    """
    force, energy, zero = _errors(potential, frames)
    lines = []
    kinds = ("all", *sorted(set(frames.kind)))
    for group in GROUPS:
        for kind in kinds:
            rows = np.array(
                [
                    index
                    for index, (its_group, its_kind) in enumerate(zip(frames.group, frames.kind, strict=True))
                    if its_group == group and kind in ("all", its_kind)
                ],
                dtype=int,
            )
            if len(rows):
                crystals = np.array([frames.crystal_id[row] for row in rows])
                lines.append(_line(group, kind, crystals, force[rows], energy[rows], zero[rows], seed))
    return lines


def _errors(
    potential: Potential, frames: HeldOutFrames
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    force, energy, zero = [], [], []
    for atoms in frames.atoms:
        ours, labelled = potential.evaluate(atoms), atoms.get_forces()
        force.append(np.abs(ours.forces_ev_per_a - labelled).mean())
        energy.append(abs(ours.energy_ev - atoms.get_potential_energy()) / len(atoms))
        zero.append(np.abs(labelled).mean())
    return np.array(force), np.array(energy), np.array(zero)


def _line(
    group: str, kind: str, crystals: NDArray[np.str_], force: NDArray[np.float64], energy: NDArray[np.float64],
    zero: NDArray[np.float64], seed: int,
) -> ErrorLine:  # fmt: skip
    names, member = np.unique(crystals, return_inverse=True)
    rng = np.random.default_rng(seed)
    # Frames of a crystal resemble each other: crystals are drawn again, not frames.
    counts = np.stack(
        [
            np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[member]
            for _ in range(N_RESAMPLES)
        ]
    )
    totals = np.maximum(counts.sum(axis=1), 1)
    force_low, force_high = np.quantile(counts @ force / totals, [0.025, 0.975])
    energy_low, energy_high = np.quantile(counts @ energy / totals, [0.025, 0.975])
    return ErrorLine(
        group=group, kind=kind, n_frames=len(force), n_crystals=len(names),
        force_mae_ev_per_a=float(force.mean()), force_low_ev_per_a=float(force_low),
        force_high_ev_per_a=float(force_high), energy_mae_ev_per_atom=float(energy.mean()),
        energy_low_ev_per_atom=float(energy_low), energy_high_ev_per_atom=float(energy_high),
        zero_force_ev_per_a=float(zero.mean()),
    )  # fmt: skip
