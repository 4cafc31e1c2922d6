"""What first principles say that no potential was trained on: hot frames, and hops of known height.

The reference data is needed. Limits are what each potential does, with some room, so that a worse one is seen.
"""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.dft_frames import FILE, read_frames
from core.hops.paths import read_hop, read_lines
from core.hops.scan import scan
from core.potentials import POTENTIALS
from tests.potentials.conftest import loaded

FORCE_LIMIT = {"nequip-mg": 0.8, "nequix-oam": 0.25}
"""Median error on hot frames, eV/angstrom; 0.5 for the others. The mean is that of a few frames of touching atoms."""

HOP_LIMIT = {"nequip-mg": 0.4, "chgnet": 0.25}
"""Error of a barrier of two selenide and sulfide spinels, eV; 0.15 for the others."""

HOPS = ("MgSc2Se4", "MgY2S4")
N_FRAMES = 12


@pytest.mark.parametrize("name", POTENTIALS)
def test_forces_of_hot_frames(name: str, reference_data: Path) -> None:
    potential = loaded(name, "float32")
    frames = [
        atoms
        for atoms in read_frames(reference_data / FILE)
        if set(potential.card.elements).issuperset(atoms.get_chemical_symbols()) and len(atoms) <= 16
    ]
    frames = [frames[i] for i in np.random.default_rng(0).permutation(len(frames))[:N_FRAMES]]
    wrong = [np.abs(potential.evaluate(atoms).forces_ev_per_a - atoms.get_forces()) for atoms in frames]
    assert np.median(np.concatenate(wrong)) < FORCE_LIMIT.get(name, 0.5)


@pytest.mark.parametrize("id", HOPS)
@pytest.mark.parametrize("name", POTENTIALS)
def test_a_known_hop(name: str, id: str, reference_data: Path) -> None:
    potential = loaded(name, "float32")
    (line,) = [it for it in read_lines(reference_data / "migration_paths.jsonl.gz") if it["id"] == id]
    profile = scan(read_hop(line), potential, n_planes=3)
    assert profile.barrier_ev == pytest.approx(line["barrier_ev"], abs=HOP_LIMIT.get(name, 0.15))
