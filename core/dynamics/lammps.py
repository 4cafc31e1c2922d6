"""A run of molecular dynamics as LAMMPS takes it: data file, input with the same protocol, how to compile the model.

Settling, NPT at zero pressure, settling in the mean cell of the second half of NPT, and NVT, as in `core.dynamics.run`:
the same atoms (supercell, vacancies by the seed), temperature, time constants and times. Random numbers differ, and
LAMMPS's barostat keeps the cell's orientation where ours keeps its symmetry of strain; frames come as unwrapped places.
"""

from pathlib import Path
from typing import Final

from ase.data import atomic_masses, atomic_numbers
from ase.io.lammpsdata import write_lammps_data

from core.artifacts import write_text
from core.dynamics.protocol import Protocol
from core.dynamics.system import System
from core.units import FS_PER_PS

DATA: Final = "structure.data"
INPUT: Final = "in.lammps"
NOTES: Final = "README.txt"

_THERMO_FRAMES: Final = 10
"""Frames between lines of the log."""

_SEED_LIMIT: Final = 900_000_000
"""LAMMPS takes seeds from 1 to this."""


def write_lammps(folder: Path, system: System, protocol: Protocol, *, model: str, seed: int) -> list[Path]:
    """Write data file, input and notes into a folder; return their paths.

    `model`: file name of the package of a potential that lies beside them, `NAME.nequip.zip`. Types of atoms are the
    elements in alphabetic order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    elements = sorted(set(system.atoms.get_chemical_symbols()))
    write_lammps_data(folder / DATA, system.atoms, specorder=elements, units="metal", atom_style="atomic")
    compiled = f"{model.removesuffix('.nequip.zip')}.nequip.pt2"
    write_text(folder / INPUT, lammps_input(protocol, elements, compiled=compiled, seed=seed))
    write_text(folder / NOTES, _NOTES.format(
        formula=system.formula, id=system.crystal_id, n=system.n_atoms, ion=system.working_ion,
        removed=system.n_removed, protocol=protocol.name, model=model, compiled=compiled, input=INPUT,
    ))  # fmt: skip
    return [folder / name for name in (DATA, INPUT, NOTES)]


def lammps_input(protocol: Protocol, elements: list[str], *, compiled: str, seed: int) -> str:
    """Return the input of LAMMPS for a protocol; `elements` in the order of the types."""
    hot_k, start = protocol.temperature_k, seed % _SEED_LIMIT + 1
    masses = "\n".join(
        f"mass {number} {atomic_masses[atomic_numbers[name]]:.4f}  # {name}"
        for number, name in enumerate(elements, 1)
    )
    barostat = "tri" if protocol.cell_change == "full" else "iso"
    mean = protocol.n_npt_steps // 2
    return _INPUT.format(
        compiled=compiled, names=" ".join(elements), masses=masses, data=DATA, hot_k=f"{hot_k:g}", seed=start,
        step_ps=f"{protocol.time_step_fs / FS_PER_PS:g}", settle=protocol.n_settle_steps,
        settle_ps=f"{1.0 / protocol.settle_friction_per_ps:g}", damp_ps=f"{1.0 / protocol.friction_per_ps:g}",
        thermostat_ps=f"{protocol.thermostat_ps:g}", barostat=barostat, barostat_ps=f"{protocol.barostat_ps:g}",
        before=protocol.n_npt_steps - mean, mean=mean, nvt=protocol.n_nvt_steps, frame=protocol.frame_steps,
        thermo=_THERMO_FRAMES * protocol.frame_steps, name=protocol.name,
    )  # fmt: skip


_INPUT: Final = """\
# Protocol "{name}": settle, NPT at zero pressure, settle in its mean cell, NVT.
units           metal
atom_style      atomic
atom_modify     map yes
newton          off
boundary        p p p
box             tilt large
read_data       {data}
{masses}

pair_style      nequip
pair_coeff      * * {compiled} {names}

timestep        {step_ps}
thermo          {thermo}
thermo_style    custom step time temp pe etotal press vol lx ly lz xy xz yz
velocity        all create {hot_k} {seed} mom yes rot no dist gaussian

# settle: half of the heat goes to the springs, and is given again
fix             move all nve
fix             heat all langevin {hot_k} {hot_k} {settle_ps} {seed} zero yes
run             {settle}
unfix           heat
unfix           move

# NPT; the second half gives the mean cell
fix             move all npt temp {hot_k} {hot_k} {thermostat_ps} {barostat} 0.0 0.0 {barostat_ps}
run             {before}
variable        lx equal lx
variable        ly equal ly
variable        lz equal lz
variable        xy equal xy
variable        xz equal xz
variable        yz equal yz
fix             cell all ave/time 1 {mean} {mean} v_lx v_ly v_lz v_xy v_xz v_yz
run             {mean}
variable        mean_lx equal $(f_cell[1])
variable        mean_ly equal $(f_cell[2])
variable        mean_lz equal $(f_cell[3])
variable        mean_xy equal $(f_cell[4])
variable        mean_xz equal $(f_cell[5])
variable        mean_yz equal $(f_cell[6])
unfix           cell
unfix           move
change_box      all x final 0.0 ${{mean_lx}} y final 0.0 ${{mean_ly}} z final 0.0 ${{mean_lz}} &
                xy final ${{mean_xy}} xz final ${{mean_xz}} yz final ${{mean_yz}} remap units box

# settle again, then NVT, which is measured
fix             move all nve
fix             heat all langevin {hot_k} {hot_k} {settle_ps} {seed} zero yes
run             {settle}
unfix           heat
reset_timestep  0
fix             heat all langevin {hot_k} {hot_k} {damp_ps} {seed} zero yes
dump            frames all custom {frame} frames.lammpstrj id type element xu yu zu
dump_modify     frames element {names} sort id
restart         {thermo} restart.a restart.b
run             {nvt}
write_restart   restart.end
"""

_NOTES: Final = """\
{formula} ({id}), {n} atoms, {removed} {ion} taken out; protocol "{protocol}".

1. Compile the model on the machine that will run it (nequip 0.19):
       nequip-compile {model} {compiled} --mode aotinductor --target pair_nequip --device cuda
2. LAMMPS with the pair style `nequip` (https://github.com/mir-group/pair_nequip_allegro), one process:
       lmp -in {input}
3. frames.lammpstrj holds unwrapped places of the measured part. restart.a and restart.b hold the state: to go on, read
   the newer one with `read_restart` in place of everything before the last `run`.
"""
