"""Molecular dynamics in atom-steps a second: every registered potential, side by side in one run.

MgCr2O4 spinel with one fifth of its Mg removed, Langevin dynamics at 1200 K and 1 fs, single precision. The potentials
take turns; the table shows medians over the turns. A potential that can be compiled is compiled for the machine first,
as for any long run. On one CPU thread the time is CPU time, so that other jobs of the machine count little; with more
threads or on a GPU it is the clock's.

    python -m benchmarks.md_speed [--atoms 100 500] [--steps 3] [--turns 3] [--potentials nequip-mp chgnet]
                                  [--device cpu] [--threads 1] [--json FILE]
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta
from ase.spacegroup import crystal

from core.artifacts import write_json
from core.errors import PotentialError
from core.potentials import POTENTIALS, Potential, load_potential
from core.provenance import package_versions

TEMPERATURE_K = 1200.0
PACKAGES = ("torch", "nequip", "e3nn", "sevenn", "chgnet", "ase", "vesin", "numpy")


def spinel(n_atoms: int) -> Atoms:
    """MgCr2O4 less a fifth of its Mg, in the supercell of the primitive cell whose size is nearest to `n_atoms`."""
    cell = crystal(
        ("Mg", "Cr", "O"),
        [(0, 0, 0), (5 / 8, 5 / 8, 5 / 8), (0.3875, 0.3875, 0.3875)],
        spacegroup=227,
        cellpar=[8.33] * 3 + [90] * 3,
        primitive_cell=True,
    )
    repeats = [times for times in itertools.product(range(1, 7), repeat=3) if max(times) - min(times) <= 1]
    times = min(repeats, key=lambda one: abs(int(np.prod(one)) * 13.6 - n_atoms))
    atoms = cell.repeat(times)
    sites = np.flatnonzero(atoms.symbols == "Mg")
    del atoms[np.random.default_rng(0).choice(sites, size=len(sites) // 5, replace=False).tolist()]
    return Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)


def dynamics(potential: Potential, start: Atoms) -> Langevin:
    """A run that is about to begin, the same for every potential."""
    atoms = start.copy()
    thermalize_momenta(atoms, TEMPERATURE_K, rng=np.random.default_rng(0))
    atoms.calc = potential.calculator()
    return Langevin(
        atoms,
        1.0 * units.fs,
        temperature_K=TEMPERATURE_K,
        friction=0.01 / units.fs,
        fixcm=False,
        rng=np.random.default_rng(1),
    )


def measure(
    potentials: list[Potential], start: Atoms, *, steps: int, turns: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds a step of each potential, one number a turn; the first evaluation is not counted."""
    running = {potential.name: dynamics(potential, start) for potential in potentials}
    for run in running.values():
        run.run(1)
    seconds: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(turns):
        for name, run in running.items():
            begin = clock()
            run.run(steps)
            seconds[name].append((clock() - begin) / steps)
    return seconds


def available(names: list[str], device: str) -> list[Potential]:
    """The potentials that are installed; the others are named on stderr."""
    potentials = []
    for name in names:
        try:
            potential = load_potential(name, device=device, dtype="float32")
            if potential.card.capabilities.can_be_compiled:
                potential.compile()  # as the jobs do for long runs
            potentials.append(potential)
        except PotentialError as error:
            print(f"{name} left out: {error}", file=sys.stderr)
    return potentials


def table(seconds: dict[str, list[float]], n_atoms: int) -> list[dict[str, float | int | str]]:
    """One row a potential: median seconds a step, their range, atom-steps a second, ratio to the slowest."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    slowest = max(medians.values())
    return [
        {
            "potential": name,
            "n_atoms": n_atoms,
            "s_per_step": median,
            "s_per_step_low": min(seconds[name]),
            "s_per_step_high": max(seconds[name]),
            "atom_steps_per_s": n_atoms / median,
            "times_the_slowest": slowest / median,
        }
        for name, median in medians.items()
    ]


def show(rows: list[dict[str, float | int | str]]) -> None:
    print(
        f"\n{'potential':12} {'atoms':>6} {'s/step':>9} {'range':>17} {'atom-steps/s':>13} {'x slowest':>10}"
    )
    for row in rows:
        spread = f"{row['s_per_step_low']:.3f}-{row['s_per_step_high']:.3f}"
        print(
            f"{row['potential']:12} {row['n_atoms']:6d} {row['s_per_step']:9.4f} {spread:>17} "
            f"{row['atom_steps_per_s']:13.1f} {row['times_the_slowest']:10.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--atoms", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--steps", type=int, default=3, help="steps a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--potentials", nargs="+", default=list(POTENTIALS), choices=POTENTIALS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    by_cpu_time = arguments.threads == 1 and arguments.device == "cpu"
    clock = time.process_time if by_cpu_time else time.perf_counter
    machine = {
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": torch.get_num_threads(),
        "device": arguments.device,
        "time": "CPU" if by_cpu_time else "clock",
        "load": [round(value, 1) for value in os.getloadavg()],
        "versions": {"python": platform.python_version(), **package_versions(PACKAGES)},
    }
    print(json.dumps(machine))
    potentials = available(arguments.potentials, arguments.device)
    rows = []
    for size in arguments.atoms:
        start = spinel(size)
        seconds = measure(potentials, start, steps=arguments.steps, turns=arguments.turns, clock=clock)
        rows += table(seconds, len(start))
        show(rows[-len(seconds) :])
    if arguments.json:
        write_json(arguments.json, {"machine": machine, "rows": rows})


if __name__ == "__main__":
    main()
