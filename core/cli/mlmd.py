"""`mlmd`: molecular dynamics of a candidate or a structure file, down to diffusivity and conductivity."""

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.output import note, open_output, parsed_ion, progress
from core.csv_text import write_rows
from core.errors import JobError, SourceError
from core.ions import WORKING_IONS

if TYPE_CHECKING:
    from core.dynamics import Protocol
    from core.jobs import Job, JobSpec
    from core.records import Crystal

_RUN_HELP = """\
Simulates a crystal with a share of its working ions taken out, and says how fast those that stay move: diffusivity and
conductivity with 90 % intervals, or a verdict why there are none. CIF_OR_ID is a structure file or a candidate's id.

The time is measured and told first. Ctrl-C stops with a checkpoint, and the same command goes on from it; the same
command again gives the same run. The result goes to result.json in the run's folder, its figures to standard output.
"""
_CAMPAIGN_HELP = """\
Runs the first candidates of the release in rank order (redox-limited capacity first, then the chance to pass voltage
and capacity; the best polymorph of each formula), several seeds each. Finished runs are passed over, so that a stopped
campaign goes on; two processes with MGC_CPU_SLOTS=2 share one. A campaign each temperature makes an Arrhenius series.
`mlmd merge` puts the results into a release.
"""
_JOB_HELP = "id of a run, as `mlmd list` prints it"
_LIST_COLUMNS: Final = ("job_id", "state", "formula", "potential", "protocol", "temperature_k", "seed", "fraction",
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
    parser = commands.add_parser(
        "mlmd",
        help="molecular dynamics: diffusivity and conductivity",
        description="Molecular dynamics as runs.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    _add_run(actions)
    for name, action, text in (
        ("status", status, "how a run stands, as JSON"),
        ("cancel", cancel, "stop a run, keeping its checkpoint"),
        ("resume", resume, "go on with a run in the background"),
    ):
        sub = _action(actions, name, action, text)
        sub.add_argument("job", metavar="RUN", help=_JOB_HELP)
    _action(actions, "list", list_runs, "all runs, as CSV").add_argument(
        "-o", "--csv", type=Path, help="CSV file to write (default: standard output)"
    )
    _add_campaign(actions)
    sub = _action(actions, "merge", merge, "finished runs into the next database release, seeds pooled")
    sub.add_argument("jobs", nargs="*", metavar="RUN", help=f"{_JOB_HELP} (default: every finished run)")
    sub.add_argument("--precomputed", type=Path, help="folder of the release (default MGC_PRECOMPUTED)")
    sub.add_argument("--keep", type=Path, metavar="DIR", help="also write the pooled results here, as JSON")


def _action(actions: Any, name: str, action: Any, text: str, **options: Any) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = actions.add_parser(name, help=text, **({"description": text} | options))
    sub.add_argument(
        "--output", type=Path, metavar="DIR", help="folder of the runs (default MGC_RUNS, runs/)"
    )
    sub.set_defaults(run=action)
    return sub


def _add_run(actions: Any) -> None:
    form = argparse.RawDescriptionHelpFormatter
    sub = _action(
        actions,
        "run",
        run,
        "simulate a structure file or a candidate",
        description=_RUN_HELP,
        formatter_class=form,
    )
    sub.add_argument("structure", metavar="CIF_OR_ID", help="structure file, or a candidate's id")
    sub.add_argument("--ion", type=parsed_ion, default="Mg", help=f"working ion: {', '.join(WORKING_IONS)}")
    sub.add_argument("--protocol", choices=_PROTOCOLS, help="default: paper on a GPU, quick on a CPU")
    sub.add_argument("--potential", help="interatomic potential (default: the fastest that ships)")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    sub.add_argument("--seed", type=int, default=0, help="seed of vacancies and velocities (default 0)")
    sub.add_argument("--detach", action="store_true", help="start it in the background and return")
    _add_protocol_options(sub)


def _add_campaign(actions: Any) -> None:
    sub = _action(
        actions,
        "campaign",
        campaign,
        "the first candidates in rank order, some seeds each",
        description=_CAMPAIGN_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.add_argument(
        "structures", nargs="*", metavar="CIF_OR_ID", help="run these first, then the ranked ones"
    )
    sub.add_argument("--top", type=int, default=24, help="how many ranked candidates (default 24)")
    sub.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds (default 0 1 2)")
    sub.add_argument("--protocol", choices=_PROTOCOLS, default="quick", help="default quick")
    sub.add_argument("--potential", help="interatomic potential (default: the fastest that ships)")
    sub.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default auto)")
    sub.add_argument("--keep", type=Path, metavar="DIR", help="copy results here, without frames")
    _add_protocol_options(sub)


def _add_protocol_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--refine", type=int, default=0, metavar="N",
        help="rounds of fine-tuning the potential for the material first (default 0)",
    )  # fmt: skip
    for flag, kind, text in _PROTOCOL_OPTIONS:
        sub.add_argument(flag, type=kind, help=f"{text} (default: the protocol's)")


def campaign(arguments: argparse.Namespace) -> int:
    """Do the runs one after another, one line each; 0 when all are finished."""
    from core.dynamics import PROTOCOLS, default_potential
    from core.jobs.campaign import campaign as plan
    from core.jobs.campaign import ranked_crystals, run_all, ship
    from core.jobs.potential import COMPILE_FROM_ATOM_STEPS, ready_potential
    from core.settings import resolve_device
    from core.store import open_reader

    crystals = [_crystal(text) for text in arguments.structures]
    with open_reader() as reader:
        known = {crystal.id for crystal in crystals}
        crystals += [crystal for crystal in ranked_crystals(reader, arguments.top) if crystal.id not in known]
    potential, device = arguments.potential or default_potential(), resolve_device(arguments.device)
    protocol = _changed(PROTOCOLS[arguments.protocol], arguments)
    specs = plan(crystals, protocol, potential, arguments.seeds, device, refine_rounds=arguments.refine)
    if not arguments.refine:
        ready_potential(potential, device, note, atom_steps=COMPILE_FROM_ATOM_STEPS)  # builds it for all runs
    finished = 0
    for job in run_all(specs, arguments.output):
        finished += job.state == "finished"
        verdict = (job.result or {}).get("verdict", job.error or "")
        note(f"{finished}/{len(specs)} {job.job_id} {job.spec.crystal.formula}: {job.state}, {verdict}")
        if arguments.keep and job.result is not None:
            ship([job.path], arguments.keep)
        if job.state in ("interrupted", "cancelled"):
            return 1
    return 0 if finished == len(specs) else 1


def run(arguments: argparse.Namespace) -> int:
    """Do a run here, or start it in the background; 0 once it has a verdict, 1 where it stopped or failed."""
    from core.jobs import queue

    spec = _spec(arguments)
    known = queue.RunFolder(path=queue.runs_folder(arguments.output) / spec.job_id)
    if (known.read("status.json") or {}).get("state") == "finished":
        note(f"Run {spec.job_id} is finished already.")
        return _report(queue.look(known), arguments.output)
    _tell_time(spec)
    if arguments.detach:
        job = queue.submit(spec, arguments.output)
        note(f"Run {job.job_id} is {job.state}; look at it with `python -m core mlmd status {job.job_id}`.")
        print(job.job_id)
        return 0
    return _report(_in_foreground(spec, arguments.output), arguments.output)


def status(arguments: argparse.Namespace) -> int:
    """Print how a run stands."""
    from core.jobs import queue

    job = queue.status(arguments.job, arguments.output)
    print(json.dumps(_row(job) | {"note": job.note, "latest": job.latest, "folder": str(job.path)}, indent=2))
    return 0


def cancel(arguments: argparse.Namespace) -> int:
    """Ask a run to stop."""
    from core.jobs import queue

    job = queue.cancel(arguments.job, arguments.output)
    asked = ", asked to stop" if job.is_active else ""
    note(f"Run {job.job_id} is {job.state}{asked}.")
    return 0


def resume(arguments: argparse.Namespace) -> int:
    """Go on with a run in the background."""
    from core.jobs import queue

    job = queue.resume(arguments.job, arguments.output)
    note(f"Run {job.job_id} is {job.state}.")
    return 0


def list_runs(arguments: argparse.Namespace) -> int:
    """Print all runs."""
    from core.jobs import queue

    with open_output(arguments.csv) as stream:
        write_rows(stream, _LIST_COLUMNS, map(_row, queue.list_jobs(arguments.output)))
    return 0


def merge(arguments: argparse.Namespace) -> int:
    """Publish a release with the runs' conductivities; 1 where some were left out."""
    from core.jobs import merge as merge_runs
    from core.jobs import queue
    from core.jobs.campaign import ship_pooled

    jobs = [queue.status(name, arguments.output) for name in arguments.jobs]
    jobs = jobs or [job for job in queue.list_jobs(arguments.output) if job.state == "finished"]
    if not jobs:
        raise JobError("No finished run to merge; start one with `mlmd run`.")
    if arguments.keep:
        ship_pooled([job.path for job in jobs], arguments.keep)
    report = merge_runs([job.path for job in jobs], arguments.precomputed)
    for record in report.added:
        note(f"Added {record.run_id}: {record.verdict}, {record.n_seeds} seeds.")
    for item in report.skipped:
        note(f"Left out {item.id}: {item.reason}")
    note(
        f"Release {report.release.version}." if report.release else "Nothing new: the release stays as it is."
    )
    return 1 if report.skipped else 0


def _spec(arguments: argparse.Namespace) -> "JobSpec":
    from core.dynamics import PROTOCOLS, default_potential, default_protocol
    from core.jobs import JobSpec
    from core.settings import resolve_device

    device = resolve_device(arguments.device)
    protocol = PROTOCOLS[arguments.protocol] if arguments.protocol else default_protocol(device)
    crystal = _crystal(arguments.structure)
    return JobSpec(
        id=crystal.id, crystal=crystal, protocol=_changed(protocol, arguments), device=device,
        potential=arguments.potential or default_potential(), working_ion=arguments.ion, seed=arguments.seed,
        refine_rounds=arguments.refine,
    )  # fmt: skip


def _changed(protocol: "Protocol", arguments: argparse.Namespace) -> "Protocol":
    from core.jobs.spec import adapted

    names = [flag.removeprefix("--").replace("-", "_") for flag, _, _ in _PROTOCOL_OPTIONS]
    return adapted(protocol, **{name: vars(arguments)[name] for name in names})


def _crystal(text: str) -> "Crystal":
    from core.sources.files import read_structure_file
    from core.store import is_valid_id, open_reader

    if not Path(text).is_file():
        if not is_valid_id(text):
            raise SourceError(
                f"{text} is neither a file nor a candidate's id; give a CIF, a POSCAR or an id."
            )
        with open_reader() as reader:
            return reader.crystal(text)
    crystals = read_structure_file(Path(text))
    if len(crystals) != 1:
        raise SourceError(f"{text} holds {len(crystals)} structures; give a file of one.")
    return crystals[0]


def _tell_time(spec: "JobSpec") -> None:
    from datetime import datetime, timedelta

    from core.jobs import estimate

    found = estimate(spec)
    finish = datetime.now() + timedelta(seconds=found.expected_seconds)
    note(
        f"{spec.crystal.formula}, {found.n_atoms} atoms, {found.n_working_ions} {spec.working_ion}, {spec.potential} "
        f"on {spec.device}: {found.seconds_per_step:.3g} s a step measured, {found.n_steps} steps, about "
        f"{found.expected_seconds / 60:.3g} minutes, finished by {finish:%Y-%m-%d %H:%M}."
    )
    if spec.protocol.description:
        note(spec.protocol.description)


def _in_foreground(spec: "JobSpec", output: Path | None) -> "Job":
    from core.jobs.queue import prepare
    from core.jobs.worker import run_job

    folder = prepare(spec, output)
    note(f"Run {folder.name} in {folder.path}.")
    with progress(desc="mlmd", total=spec.protocol.n_steps, unit=" steps") as bar:

        def watch(row: dict[str, Any]) -> None:
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
    print(
        json.dumps({name: value for name, value in job.result.items() if name not in _LONG_FIELDS}, indent=2)
    )
    note(f"{job.result['verdict']}: {job.result['reason']}")
    note(f"All of it: {job.path / 'result.json'}")
    return 0


def _row(job: "Job") -> dict[str, Any]:
    result = job.result or {}
    return {
        "job_id": job.job_id, "state": job.state, "formula": job.spec.crystal.formula,
        "potential": job.spec.potential_name, "protocol": job.spec.protocol.name,
        "temperature_k": job.spec.protocol.temperature_k, "seed": job.spec.seed, "fraction": job.fraction,
        "eta_s": job.eta_s, "verdict": result.get("verdict"),
        "sigma_ms_per_cm": result.get("sigma_ms_per_cm"), "submitted": job.submitted, "error": job.error,
    }  # fmt: skip
