"""`dft`: voltages by first principles, here by GPAW or elsewhere by VASP."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.crystals import CRYSTAL_HELP, given_crystal
from core.cli.output import note, parsed_ion, progress
from core.cli.runs import add_action, add_cluster, add_common, add_group, cluster_of, run_in_turn
from core.errors import DftError
from core.ions import WORKING_IONS

if TYPE_CHECKING:
    from core.calculations.kinds.dft import DftSpec
    from core.dft import Level
    from core.tasks import Job

ASK_ABOVE_S: Final = 600.0
_RUN_HELP = """\
Calculates the energies of both ends of an electrode and of the metal by GPAW, and the voltage from them, without
dispersion and with D3. Ions and cells are first relaxed by a potential, as a run of their own. CIF_OR_ID is a structure
file or a candidate's id. Time and memory are estimated first. Ctrl-C stops; the same command goes on, and an end that
is done is never computed again. `make dft` installs GPAW.
"""
_CAMPAIGN_HELP = """\
Runs labelled electrodes and the best candidates, chosen by the rule of `core.tasks.dft_campaign`, quickest first.
Finished runs are passed over, so that a stopped campaign goes on. `python -m benchmarks.dft` holds predicted, relaxed
and first-principles voltages against the labels.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `dft` with its own commands."""
    text = "voltages by first principles: GPAW here, VASP elsewhere"
    actions = add_group(commands, "dft", text, "First principles as runs.")
    text = "a structure file or a candidate, by GPAW"
    sub = add_action(actions, "run", run, text, description=_RUN_HELP)
    sub.add_argument("structures", nargs="+", metavar="CIF_OR_ID", help=CRYSTAL_HELP)
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    sub.add_argument(
        "--as-given", action="store_true", help="do not relax by a potential first; the host stays frozen"
    )
    sub.add_argument("--detach", action="store_true", help="start it in the background and return")
    sub.add_argument("--yes", action="store_true", help="do not ask before a long calculation")
    _add_level(sub)
    text = "labelled electrodes and the best candidates"
    sub = add_action(actions, "campaign", campaign, text, description=_CAMPAIGN_HELP)
    add_cluster(sub)
    sub.add_argument("--labelled", type=int, default=15, help="how many labelled electrodes (default 15)")
    sub.add_argument("--candidates", type=int, default=24, help="how many candidates (default 24)")
    sub.add_argument(
        "--plan", action="store_true", help="print what would be run, with expected times, and stop"
    )
    _add_level(sub)
    sub = add_action(actions, "prepare", prepare, "inputs for VASP: both ends and the metal")
    sub.add_argument("structures", nargs="+", metavar="CIF_OR_ID", help=CRYSTAL_HELP)
    sub.add_argument("-o", "--folder", type=Path, required=True, metavar="DIR", help="new folder to write")
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    sub.add_argument("--d3", action="store_true", help="relax with dispersion, D3(BJ)")
    sub = add_action(actions, "collect", collect, "what VASP left in a prepared folder, as finished runs")
    sub.add_argument("folder", type=Path, metavar="DIR", help="folder that `dft prepare` wrote")
    add_common(actions)


def run(arguments: argparse.Namespace) -> int:
    """Calculate one crystal after another; 0 when all are finished."""
    from core import tasks
    from core.potentials import DEFAULT_POTENTIAL
    from core.service.dft import planned

    potential = None if arguments.as_given else DEFAULT_POTENTIAL
    finished = 0
    for text in arguments.structures:
        spec = planned(given_crystal(text), arguments.ion, level=_level(arguments), potential=potential)
        spec.check()
        if not _agreed(spec, arguments.yes):
            return 1
        if arguments.detach:
            job = tasks.submit(spec, arguments.output)
            note(
                f"Run {job.job_id} is {job.state}; look at it with `python -m core dft status {job.job_id}`."
            )
            print(job.job_id)
            finished += 1
        else:
            finished += _report(_in_foreground(spec, arguments.output))
    return 0 if finished == len(arguments.structures) else 1


def campaign(arguments: argparse.Namespace) -> int:
    """Run what the rule chooses, one line each; 0 when all are finished."""
    from core.potentials import DEFAULT_POTENTIAL
    from core.service.dft import estimate, planned
    from core.store import open_reader
    from core.tasks.dft_campaign import chosen

    level = _level(arguments)
    with open_reader() as reader:
        choices = chosen(
            reader, n_labelled=arguments.labelled, n_candidates=arguments.candidates, level=level
        )
    if arguments.plan:
        for it in choices:
            kind = "labelled" if it.is_labelled else "candidate"
            print(
                f"{it.crystal.id:16} {it.crystal.formula:16} {kind:9} {estimate(it.crystal, 'Mg', level).words}"
            )
        return 0
    specs = [planned(it.crystal, level=level, potential=DEFAULT_POTENTIAL) for it in choices]
    specs[0].check()

    def tell(job: "Job", seen: int, finished: int) -> str:
        outcome = job.result.reason if job.result is not None else job.error or ""
        return f"{finished}/{len(specs)} {job.job_id} {job.spec.subject.formula}: {job.state}, {outcome}"

    return run_in_turn(specs, arguments.output, tell, cluster_of(arguments))


def prepare(arguments: argparse.Namespace) -> int:
    """Write VASP's inputs."""
    from core.service.dft import electrode_of
    from core.service.dft import prepare as write
    from core.store import open_reader

    crystals = [given_crystal(text) for text in arguments.structures]
    with open_reader() as reader:
        electrodes = [electrode_of(it, arguments.ion, reader, arguments.output) for it in crystals]
    folders = write(electrodes, arguments.folder, d3=arguments.d3)
    for it in electrodes:
        note(f"{it.crystal.id} {it.crystal.formula}: {it.geometry}.")
    note(
        f"{len(folders)} calculations in {arguments.folder}; POTCAR is named in each POTCAR.spec and yours to join. "
        f"Submit run.slurm there, then `python -m core dft collect {arguments.folder}`."
    )
    return 0


def collect(arguments: argparse.Namespace) -> int:
    """Read VASP's outputs; 1 where some were left out."""
    from core.service.dft import collect as read

    jobs, left_out = read(arguments.folder, arguments.output)
    for job in jobs:
        note(f"{job.job_id} {job.spec.subject.formula}: {job.result.reason if job.result else job.error}")
    for item in left_out:
        note(f"Left out {item.id}: {item.reason}")
    if not jobs and not left_out:
        raise DftError(f"{arguments.folder} names no electrode; prepare it anew.")
    return 1 if left_out else 0


def _add_level(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--ecut", type=float, metavar="EV", help="cutoff of the plane waves, eV (default 520)")
    sub.add_argument("--k-spacing-per-a", type=float, help="longest step between k points (default 0.5)")
    sub.add_argument("--smearing-ev", type=float, help="width of the smearing (default 0.05)")
    sub.add_argument(
        "--spin", choices=("lowest", "high", "low"), help="moments to start from (default lowest)"
    )
    sub.add_argument(
        "--relax", action="store_true", help="relax ions and cell at this level too: many times as long"
    )


def _level(arguments: argparse.Namespace) -> "Level":
    from core.dft import Level

    given = {
        "ecut_ev": arguments.ecut, "k_spacing_per_a": arguments.k_spacing_per_a,
        "smearing_ev": arguments.smearing_ev, "spin": arguments.spin,
    }  # fmt: skip
    return Level(relax=arguments.relax, **{name: value for name, value in given.items() if value is not None})


def _agreed(spec: "DftSpec", is_agreed: bool) -> bool:
    """Tell time and memory; ask before a long calculation where someone can answer."""
    from core.service.dft import estimate

    expected = estimate(spec.crystal, spec.working_ion, spec.level)
    note(f"{spec.crystal.formula}: {expected.words}")
    if is_agreed or expected.seconds < ASK_ABOVE_S or not sys.stdin.isatty():
        return True
    return input("Start it? [y/N] ").strip().lower() in ("y", "yes")


def _in_foreground(spec: "DftSpec", output: Path | None) -> "Job":
    from core.tasks.queue import prepare as folder_of
    from core.tasks.worker import run_job

    folder = folder_of(spec, output)
    note(f"Run {folder.name} in {folder.path}.")
    with progress(desc="dft", total=100, unit=" %") as bar:
        return run_job(folder.path, lambda row: bar.update(round(100 * row["fraction"]) - bar.n))


def _report(job: "Job") -> bool:
    if job.result is None:
        note(f"Run {job.job_id} is {job.state}: {job.error or 'the same command goes on.'}")
        return False
    fields = job.result.to_dict()
    for end in ("discharged", "charged"):
        fields[end] = {name: value for name, value in fields[end].items() if name != "crystal"}
    print(json.dumps({name: value for name, value in fields.items() if name != "provenance"}, indent=2))
    note(f"{job.result.verdict}: {job.result.reason}")
    return True
