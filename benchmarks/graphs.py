"""Crystal graphs a second, beside the original CGCNN code's loop over pymatgen's `get_all_neighbors`.

Both run on the same Mg candidates, in turns, on one thread; each time the distances of both are compared.

    python -m benchmarks.graphs [--data ../shared/data] [--structures 200] [--repeats 5]
"""

import argparse
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np

from core.graphs import CUTOFF_A, MAX_NEIGHBOURS, build_graph
from core.provenance import package_versions
from core.records import Crystal
from core.settings import Settings
from core.sources.reference import read_candidates


def original_neighbours(structure) -> tuple[list[list[int]], list[list[float]]]:
    """Neighbours and distances of each atom as the original code finds them, padded where they are too
    few."""
    all_neighbours = structure.get_all_neighbors(CUTOFF_A, include_index=True)
    all_neighbours = [sorted(row, key=lambda item: item[1]) for row in all_neighbours]
    indices, distances = [], []
    for row in all_neighbours:
        missing = MAX_NEIGHBOURS - len(row)
        indices.append([item[2] for item in row[:MAX_NEIGHBOURS]] + [0] * missing)
        distances.append([item[1] for item in row[:MAX_NEIGHBOURS]] + [CUTOFF_A + 1.0] * missing)
    return indices, distances


def sample(data: Path, n_structures: int) -> list[Crystal]:
    """Candidates spread evenly over the list."""
    crystals, _ = read_candidates(data)
    return crystals[:: max(len(crystals) // n_structures, 1)][:n_structures]


def machine() -> str:
    """Machine, load and versions, as the head of a benchmark."""
    versions = package_versions(("vesin", "pymatgen", "numpy", "torch", "torch-geometric"))
    return (
        f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
    )


def check_equal(crystals: list[Crystal], structures: list) -> None:
    """Stop when the two disagree on a distance."""
    for crystal, structure in zip(crystals, structures, strict=True):
        _, expected = original_neighbours(structure)
        flat = np.array([distance for row in expected for distance in row if distance <= CUTOFF_A])
        if not np.allclose(build_graph(crystal).distances_a, flat, atol=1e-4):
            raise SystemExit(f"the graphs of {crystal.id} differ")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--structures", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    crystals = sample(options.data, options.structures)
    structures = [crystal.to_pymatgen() for crystal in crystals]
    check_equal(crystals, structures)
    print(machine())
    n_atoms = sum(crystal.n_sites for crystal in crystals)
    print(
        f"{len(crystals)} structures, {n_atoms} atoms; medians of {options.repeats} rounds, CPU time, one thread"
    )
    ours, original = [], []
    for _ in range(options.repeats):
        start = time.process_time()
        for crystal in crystals:
            build_graph(crystal)
        middle = time.process_time()
        for structure in structures:
            original_neighbours(structure)
        ours.append(middle - start)
        original.append(time.process_time() - middle)
    ours_ms, original_ms = (1000.0 * statistics.median(times) / len(crystals) for times in (ours, original))
    ratios = [theirs / mine for theirs, mine in zip(original, ours, strict=True)]
    print(f"pymatgen loop   {original_ms:8.3f} ms a structure")
    print(f"core.graphs     {ours_ms:8.3f} ms a structure")
    print(f"ratio           {statistics.median(ratios):8.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
