"""Force errors of potentials on frames with first-principles labels that no potential here was trained on.

    python -m benchmarks.dft_frames --data ../shared/data [--potentials nequip-mp nequix-oam ...] [--n 300]

Small hot and compressed cells of mixed chemistry, PBE(+U) (MatterSim's benchmark sets, arXiv 2405.04967): random ones
of those whose elements all of the potentials know. Errors of forces in eV/angstrom with 95 % intervals over frames, and
the slope of predicted on true forces (below 1: too soft). Energies are on each potential's own scale and left out.
"""

import argparse
import gzip
import io
import os
import platform
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.io import read

from core.cli.output import add_data_option, progress, reference_data
from core.errors import PotentialError
from core.potentials import POTENTIALS, Potential, load_potential
from core.provenance import package_versions

FILE = "dft_frames_hot_pressed.extxyz.gz"
N_DRAWS = 500


def read_frames(path: Path) -> list[Atoms]:
    """Return all frames, labels in their calculators."""
    text = gzip.decompress(path.read_bytes()).decode()
    frames: list[Atoms] = read(io.StringIO(text), ":", format="extxyz")
    return frames


def errors(potential: Potential, frames: list[Atoms]) -> dict[str, str]:
    """Return the mean absolute error of force components with its interval, the slope and the guess of no force."""
    pairs = [
        (potential.evaluate(atoms).forces_ev_per_a.ravel(), atoms.get_forces().ravel())
        for atoms in progress(frames, desc=potential.name, unit=" frames")
    ]
    wrong = np.array([np.abs(ours - true).sum() for ours, true in pairs])
    n = np.array([len(it) for it, _ in pairs])
    draw = np.random.default_rng(0).integers(len(pairs), size=(N_DRAWS, len(pairs)))
    low, high = np.percentile(wrong[draw].sum(axis=1) / n[draw].sum(axis=1), [2.5, 97.5])
    ours, true = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return {
        "potential": potential.name,
        "frames": f"{len(frames)}",
        "force error": f"{wrong.sum() / n.sum():.3f} ({low:.3f} to {high:.3f})",
        "median": f"{np.median(np.abs(ours - true)):.3f}",
        "slope": f"{float(ours @ true / (true @ true)):.3f}",
        "no force at all": f"{np.abs(true).mean():.3f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--potentials", nargs="+", choices=POTENTIALS, default=list(POTENTIALS))
    parser.add_argument("--n", type=int, default=300, help="frames drawn (default 300)")
    options = parser.parse_args()
    loaded = []
    for name in options.potentials:
        try:
            loaded.append(load_potential(name, device="auto", dtype="float32"))
        except PotentialError as error:
            print(f"{name} is left out: {error}")
    frames = read_frames(reference_data(options.data) / FILE)
    known = set.intersection(*(set(it.card.elements) for it in loaded))
    frames = [atoms for atoms in frames if known.issuperset(atoms.get_chemical_symbols())]
    chosen = np.random.default_rng(0).permutation(len(frames))[: options.n]
    print(
        f"{platform.platform()}, {os.cpu_count()} cores; Python {platform.python_version()}; "
        + ", ".join(f"{name} {it}" for name, it in package_versions(("torch", "nequip", "chgnet")).items())
    )
    rows = [errors(potential, [frames[i] for i in chosen]) for potential in loaded]
    print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
