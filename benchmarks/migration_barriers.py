"""The hop of one magnesium vacancy in spinels: nequip-mg's barrier beside its teacher's, by nudged elastic band.

    python -m benchmarks.migration_barriers [--potentials nequip-mg nequip-mp] [--refine 1] [--json FILE]

The conventional cell (eight Mg) is relaxed by each potential, one Mg is taken out, and its nearest neighbour moves into
the gap: tetrahedral site, octahedral site, tetrahedral site. Seven images at fixed cell, climbing, forces below 0.05
eV/angstrom. The barrier is the highest image above the lowest; the middle image is the octahedral site, and may be the
lowest. It says whether a potential sees the hop as its teacher does, not how fast ions go where a fifth is missing.
With `--refine` nequip-mg fine-tuned for the material, as `mlmd run --refine` does it, stands beside them.
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.filters import FrechetCellFilter
from ase.mep import NEB
from ase.optimize import FIRE

from core.artifacts import write_json
from core.calculations.kinds.refinement import RefinementResult, RefinementSpec
from core.potentials import POTENTIALS, Potential, load_potential, load_refined, potential_card
from core.provenance import package_versions
from core.records import Crystal
from core.store import open_reader
from core.tasks.queue import prepare
from core.tasks.worker import run_job

REFINED = "nequip-mg"
SPINELS = ("MgSc2Se4", "mvc-27", "mp-32006", "mp-19202", "mp-769657")
CONVENTIONAL = [[-1, 1, 1], [1, -1, 1], [1, 1, -1]]
N_IMAGES = 7
FORCE_EV_PER_A = 0.05


def crystal_of(id: str) -> Crystal:
    with open_reader() as reader:
        return reader.crystal(id)


def refined(crystal: Crystal, rounds: int) -> Potential:
    """nequip-mg fine-tuned for a crystal, or what a run has left of it in the folder of runs."""
    spec = RefinementSpec(
        crystal=crystal,
        potential=REFINED,
        potential_sha256=potential_card(REFINED).sha256,
        rounds=rounds,
        device="cpu",
    )
    job = run_job(prepare(spec).path)
    if not isinstance(job.result, RefinementResult):
        raise SystemExit(f"{job.job_id} is {job.state}: {job.error}")
    return load_refined(REFINED, job.path / job.result.weights, device="cpu")


def profile_ev(crystal: Crystal, potential: Potential) -> list[float]:
    """Energies of the images above the first; those of the two ends are alike where the sites are equivalent."""
    cell = Atoms(crystal.species, scaled_positions=crystal.frac, cell=crystal.lattice_a, pbc=True)
    host = make_supercell(cell, CONVENTIONAL) if len(cell) < 50 else cell
    host.calc = potential.calculator()
    FIRE(FrechetCellFilter(host), logfile=None).run(fmax=FORCE_EV_PER_A, steps=300)
    sites = np.flatnonzero(host.symbols == "Mg")
    gap = int(sites[0])
    mover = int(sites[1:][np.argmin(host.get_distances(gap, sites[1:], mic=True))])
    first, last = host.copy(), host.copy()
    last.positions[mover] += host.get_distance(mover, gap, mic=True, vector=True)
    band = [first, *(first.copy() for _ in range(N_IMAGES - 2)), last]
    for image in band:
        del image[gap]
        image.calc = potential.calculator()
    for end in (first, last):
        FIRE(end, logfile=None).run(fmax=FORCE_EV_PER_A, steps=300)
    neb = NEB(band, climb=True)
    neb.interpolate(method="idpp", mic=True)
    FIRE(neb, logfile=None).run(fmax=FORCE_EV_PER_A, steps=200)
    energies_ev = [image.get_potential_energy() for image in band]
    return [float(energy - energies_ev[0]) for energy in energies_ev]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--potentials", nargs="+", default=["nequip-mg", "nequip-mp"], choices=POTENTIALS)
    parser.add_argument("--ids", nargs="+", default=SPINELS)
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    parser.add_argument("--refine", type=int, default=0, help="rounds of fine-tuning (default 0: none)")
    arguments = parser.parse_args()
    print(json.dumps({"machine": platform.machine(), **package_versions(("torch", "nequip", "ase"))}))
    print(
        f"{'formula':12} {'id':12} {'potential':10} {'barrier (eV)':>12} {'octahedral site (eV)':>20} {'seconds':>8}"
    )
    rows = []
    shared = {name: load_potential(name, device="cpu", dtype="float64") for name in arguments.potentials}
    for id in arguments.ids:
        crystal = crystal_of(id)
        potentials = dict(shared)
        if arguments.refine:
            potentials["refined"] = refined(crystal, arguments.refine)
        for name, potential in potentials.items():
            started = time.perf_counter()
            profile = profile_ev(crystal, potential)
            rows.append({"id": id, "potential": name, "profile_ev": profile})
            print(
                f"{crystal.formula:12} {id:12} {name:10} {max(profile) - min(profile):12.2f} "
                f"{profile[N_IMAGES // 2]:20.2f} {time.perf_counter() - started:8.0f}",
                flush=True,
            )
    if arguments.json:
        write_json(arguments.json, rows)


if __name__ == "__main__":
    main()
