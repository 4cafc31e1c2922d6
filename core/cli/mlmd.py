"""`mlmd`: molecular dynamics of a candidate or a structure file, down to diffusivity and conductivity."""

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.crystals import CRYSTAL_HELP, given_crystal
from core.cli.decide import add_until_decided, run_until_decided
from core.cli.output import note, open_output, parsed_ion, progress
from core.cli.runs import add_action, add_cluster, add_common, add_group, cluster_of, listed, run_in_turn
from core.csv_text import write_rows
from core.ions import WORKING_IONS

if TYPE_CHECKING:
    from core.calculations.kinds.diffusion import DiffusionSpec
    from core.dynamics import Protocol
    from core.tasks import Job

_RUN_HELP = """\
Simulates a crystal with a share of its working ions taken out, and says how fast those that stay move: diffusivity and
conductivity with 90 % intervals, or a verdict why there are none. CIF_OR_ID is a structure file or a candidate's id.

The time is measured and told first. Ctrl-C stops with a checkpoint, and the same command goes on from it; the same
command again gives the same run. The result goes to result.json in the run's folder, its figures to standard output.

With --until-decided it goes on, seed by seed and then by longer protocols, until the pooled conductivity lies above or
below --limit as a whole, no run could decide it, or --max-runs were made; finished runs and those of the release count.
"""
_CAMPAIGN_HELP = """\
Runs the first candidates of the release in rank order (redox-limited capacity first, then the chance to pass voltage
and capacity; the best polymorph of each formula), several seeds each. Finished runs are passed over, so that a stopped
campaign goes on; two processes with MGC_CPU_SLOTS=2 share one. A campaign each temperature makes an Arrhenius series.
`mlmd merge` puts the results into a release.
"""
_LAMMPS_HELP = """\
Writes a run for LAMMPS into a folder: data file with the same atoms, input with the same protocol, the packaged
potential, and how to compile it. LAMMPS needs the pair style `nequip` (github.com/mir-group/pair_nequip_allegro).
"""
_LIST_COLUMNS: Final = ("name", "state", "formula", "potential", "protocol", "temperature_k", "seed", "fraction",
                        "eta_s", "verdict", "sigma_ms_per_cm", "submitted", "error")  # fmt: skip
_PROTOCOL_OPTIONS: Final = (
    ("--temperature-k", float, "temperature, kelvin"),
    ("--min-atoms", int, "least atoms of the supercell"),
    ("--max-atoms", int, "most atoms of the supercell"),
    ("--vacancy-fraction", float, "share of the working ions taken out"),
    ("--time-step-fs", float, "time step, femtoseconds"),
    ("--npt-ps", float, "equilibration at zero pressure, picoseconds"),
    ("--nvt-ps", float, "measured part at constant volume, picoseconds"),
)
_PROTOCOLS: Final = ("quick", "long", "paper")
_LONG_FIELDS: Final = ("msd", "fit", "protocol", "provenance", "supercell_matrix")


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `mlmd` with its own commands."""
    text = "molecular dynamics: diffusivity and conductivity"
    actions = add_group(commands, "mlmd", text, "Molecular dynamics as runs.")
    _add_run(actions)
    add_common(actions)
    add_action(actions, "list", list_runs, "all runs, as CSV").add_argument(
        "-o", "--csv", type=Path, help="CSV file to write (default: standard output)"
    )
    _add_campaign(actions)
    _add_lammps(actions)


def _add_run(actions: Any) -> None:
    text = "simulate a structure file or a candidate"
    sub = add_action(actions, "run", run, text, description=_RUN_HELP)
    sub.add_argument("structure", metavar="CIF_OR_ID", help=CRYSTAL_HELP)
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    sub.add_argument("--protocol", choices=_PROTOCOLS, help="default: paper on a GPU, quick on a CPU")
    sub.add_argument("--potential", help="interatomic potential (default: the fastest that ships)")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    sub.add_argument("--seed", type=int, default=0, help="seed of vacancies and velocities (default 0)")
    sub.add_argument("--detach", action="store_true", help="start it in the background and return")
    add_until_decided(sub)
    _add_protocol_options(sub)


def _add_campaign(actions: Any) -> None:
    text = "the first candidates in rank order, some seeds each"
    sub = add_action(actions, "campaign", campaign, text, description=_CAMPAIGN_HELP)
    add_cluster(sub)
    sub.add_argument(
        "structures", nargs="*", metavar="CIF_OR_ID", help="run these first, then the ranked ones"
    )
    sub.add_argument("--top", type=int, default=24, help="how many ranked candidates (default 24)")
    sub.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds (default 0 1 2)")
    sub.add_argument("--protocol", choices=_PROTOCOLS, default="quick", help="default quick")
    sub.add_argument("--potential", help="interatomic potential (default: the fastest that ships)")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    _add_protocol_options(sub)


def _add_lammps(actions: Any) -> None:
    text = "write a run as LAMMPS takes it"
    sub = add_action(actions, "lammps", lammps, text, description=_LAMMPS_HELP)
    sub.add_argument("structure", metavar="CIF_OR_ID", help=CRYSTAL_HELP)
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    sub.add_argument("--protocol", choices=_PROTOCOLS, default="paper", help="default paper")
    sub.add_argument("--potential", default="nequip-mg", help="nequip-mg or nequip-mp (default nequip-mg)")
    sub.add_argument("--seed", type=int, default=0, help="seed of vacancies and velocities (default 0)")
    _add_protocol_options(sub, refine=False)


def _add_protocol_options(sub: argparse.ArgumentParser, *, refine: bool = True) -> None:
    if refine:
        sub.add_argument(
            "--refine", type=int, default=0, metavar="N",
            help="rounds of fine-tuning the potential for the material first (default 0)",
        )  # fmt: skip
    for flag, kind, text in _PROTOCOL_OPTIONS:
        sub.add_argument(flag, type=kind, help=f"{text} (default: the protocol's)")


def campaign(arguments: argparse.Namespace) -> int:
    """Do the runs one after another, one line each; 0 when all are finished."""
    from core.dynamics import PROTOCOLS, default_potential
    from core.settings import resolve_device
    from core.store import open_reader
    from core.tasks.campaign import campaign as plan
    from core.tasks.campaign import ranked_crystals

    crystals = [given_crystal(text) for text in arguments.structures]
    with open_reader() as reader:
        known = {crystal.id for crystal in crystals}
        crystals += [crystal for crystal in ranked_crystals(reader, arguments.top) if crystal.id not in known]
    potential, device = arguments.potential or default_potential(), resolve_device(arguments.device)
    protocol = _changed(PROTOCOLS[arguments.protocol], arguments)
    specs = plan(crystals, protocol, potential, arguments.seeds, device, refine_rounds=arguments.refine)
    if not arguments.refine:
        _build_for_all(potential, device)

    def tell(job: "Job", seen: int, finished: int) -> str:
        verdict = job.result.verdict if job.result is not None else job.error or ""
        return f"{finished}/{len(specs)} {job.job_id} {job.spec.subject.formula}: {job.state}, {verdict}"

    return run_in_turn(specs, arguments.output, tell, cluster_of(arguments))


def _build_for_all(potential: str, device: str) -> None:
    """Compile the potential before the first run, where it offers that."""
    from core.calculations.kinds.diffusion.prepare import COMPILE_FROM_ATOM_STEPS, ready_potential
    from core.potentials import load_potential

    ready_potential(
        lambda: load_potential(potential, device=device, dtype="float32"),
        note,
        atom_steps=COMPILE_FROM_ATOM_STEPS,
    )


def run(arguments: argparse.Namespace) -> int:
    """Do a run here, or start it in the background; 0 once it has a verdict, 1 where it stopped or failed.

    Until it is decided: 0 once it is, 1 where it is not.
    """
    from core import tasks
    from core.tasks.queue import look

    spec = _spec(arguments)
    if arguments.until_decided:
        return run_until_decided(spec, arguments)
    known = tasks.RunFolder.of(spec, arguments.output)
    if known.path.exists() and (job := look(known)).state == "finished":
        note(f"Run {job.job_id} is finished already.")
        return _report(job, arguments.output)
    _tell_time(spec)
    if arguments.detach:
        job = tasks.submit(spec, arguments.output)
        note(f"Run {job.job_id} is {job.state}; look at it with `python -m core mlmd status {job.job_id}`.")
        print(job.job_id)
        return 0
    return _report(_in_foreground(spec, arguments.output), arguments.output)


def lammps(arguments: argparse.Namespace) -> int:
    """Write data file, input, notes and the packaged potential."""
    from core.dynamics import PROTOCOLS
    from core.dynamics.lammps import write_lammps
    from core.dynamics.system import build_system
    from core.potentials.package import SUFFIX, package

    protocol = _changed(PROTOCOLS[arguments.protocol], arguments)
    crystal = given_crystal(arguments.structure)
    system = build_system(crystal, arguments.ion, protocol, arguments.seed)
    folder = arguments.output or Path(f"{crystal.id}-lammps")
    model = package(arguments.potential, folder / f"{arguments.potential}{SUFFIX}")
    write_lammps(folder, system, protocol, model=model.name, seed=arguments.seed)
    note(
        f"{system.n_atoms} atoms of {crystal.formula} for LAMMPS in {folder}; README.txt there says how to run them."
    )
    return 0


def list_runs(arguments: argparse.Namespace) -> int:
    """Print all molecular dynamics runs; 1 where some cannot be read."""
    rows, n_unreadable = listed(arguments.output, "diffusion")
    with open_output(arguments.csv) as stream:
        write_rows(stream, _LIST_COLUMNS, rows)
    return 1 if n_unreadable else 0


def _spec(arguments: argparse.Namespace) -> "DiffusionSpec":
    from core.calculations.kinds.diffusion import DiffusionSpec
    from core.dynamics import PROTOCOLS, default_potential, default_protocol
    from core.settings import resolve_device

    device = resolve_device(arguments.device)
    protocol = PROTOCOLS[arguments.protocol] if arguments.protocol else default_protocol(device)
    return DiffusionSpec.planned(
        crystal=given_crystal(arguments.structure), protocol=_changed(protocol, arguments), device=device,
        potential=arguments.potential or default_potential(), working_ion=arguments.ion, seed=arguments.seed,
        refine_rounds=arguments.refine,
    )  # fmt: skip


def _changed(protocol: "Protocol", arguments: argparse.Namespace) -> "Protocol":
    from core.dynamics import adapted

    names = [flag.removeprefix("--").replace("-", "_") for flag, _, _ in _PROTOCOL_OPTIONS]
    return adapted(protocol, **{name: vars(arguments)[name] for name in names})


def _tell_time(spec: "DiffusionSpec") -> None:
    from datetime import datetime, timedelta

    from core.calculations.kinds.diffusion.estimate import estimate

    expected = estimate(spec)
    finish = datetime.now() + timedelta(seconds=expected.expected_seconds)
    note(
        f"{spec.crystal.formula}, {expected.n_atoms} atoms, {expected.n_working_ions} {spec.working_ion}, "
        f"{spec.potential} on {spec.device}: {expected.seconds_per_step:.3g} s a step measured, {expected.n_steps} "
        f"steps, about {expected.expected_seconds / 60:.3g} minutes, finished by {finish:%Y-%m-%d %H:%M}."
    )
    if spec.protocol.description:
        note(spec.protocol.description)


def _in_foreground(spec: "DiffusionSpec", output: Path | None) -> "Job":
    from core.tasks.queue import prepare
    from core.tasks.worker import run_job

    folder = prepare(spec, output)
    note(f"Run {folder.name} in {folder.path}.")
    with progress(desc="mlmd", total=spec.protocol.n_steps, unit=" steps") as bar:

        def watch(row: Any) -> None:
            bar.update(row["step"] - bar.n)
            bar.set_postfix_str(f"{row['phase']} {row['temperature_k']:.0f} K", refresh=False)

        return run_job(folder.path, watch)


def _report(job: "Job", output: Path | None) -> int:
    if job.result is None:
        note(
            f"Run {job.job_id} is {job.state}: {job.error or 'the same command goes on from its checkpoint.'}"
        )
        return 1
    if output is not None:
        shutil.copyfile(job.path / "result.json", output / "result.json")
    fields = job.result.to_dict()
    print(json.dumps({name: value for name, value in fields.items() if name not in _LONG_FIELDS}, indent=2))
    note(f"{job.result.verdict}: {job.result.reason}")
    note(f"All of it: {job.path / 'result.json'}")
    return 0
