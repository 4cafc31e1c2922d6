"""`runs`: calculations of every kind, as runs that can be listed, stopped, gone on with, merged and exported."""

import argparse
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.output import note, open_output
from core.csv_text import write_rows
from core.errors import JobError, SourceError

if TYPE_CHECKING:
    from core.calculations import Spec
    from core.tasks import Job
    from core.tasks.cluster import Cluster

RUN_HELP = "name of a run, as `runs list` prints it"


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `runs` with its own commands."""
    text = "calculations of every kind: list, stop, go on, merge, export"
    actions = add_group(commands, "runs", text, "Calculations as runs.")
    add_action(actions, "kinds", kinds, "the kinds of calculation there are")
    sub = add_action(actions, "submit", submit, "start a run from its spec, a JSON file, in the background")
    sub.add_argument("spec", type=Path, metavar="SPEC.json", help="as `spec.json` of a run's folder")
    add_common(actions)
    sub = add_action(actions, "list", list_runs, "all runs of one's own, as CSV")
    sub.add_argument("--kind", help="of this kind alone")
    sub.add_argument("-o", "--csv", type=Path, help="CSV file to write (default: standard output)")
    sub = add_action(actions, "export", export, "every finished calculation, one's own and the release's")
    sub.add_argument("--kind", help="of this kind alone")
    sub.add_argument(
        "-o",
        "--file",
        type=Path,
        help="FILE.csv for figures, FILE.jsonl for specs and results whole (default: CSV)",
    )


def add_group(commands: Any, name: str, text: str, description: str) -> Any:
    """Add a group of commands and return where its actions are added."""
    parser = commands.add_parser(name, help=text, description=description)
    return parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")


def add_common(actions: Any) -> None:
    """Add what a run of any kind can be told: status, cancel, resume, merge."""
    for name, action, text in (
        ("status", status, "how a run stands, as JSON"),
        ("cancel", cancel, "stop a run, keeping its checkpoint"),
        ("resume", resume, "go on with a run in the background"),
    ):
        add_action(actions, name, action, text).add_argument("job", metavar="RUN", help=RUN_HELP)
    sub = add_action(actions, "merge", merge, "finished runs into the next database release, seeds pooled")
    sub.add_argument("jobs", nargs="*", metavar="RUN", help=f"{RUN_HELP} (default: every finished run)")
    sub.add_argument("--precomputed", type=Path, help="folder of the release (default MGC_PRECOMPUTED)")


def add_action(actions: Any, name: str, action: Any, text: str, **options: Any) -> argparse.ArgumentParser:
    """Add one command that works on the runs' folder; lines of a `description` stay as they are."""
    given = {"description": text, "formatter_class": argparse.RawDescriptionHelpFormatter} | options
    sub: argparse.ArgumentParser = actions.add_parser(name, help=text, **given)
    sub.add_argument(
        "--output", type=Path, metavar="DIR", help="folder of the runs (default MGC_RUNS, runs/)"
    )
    sub.set_defaults(run=action)
    return sub


def run_here(spec: "Spec", output: Path | None, *, leave_out: Collection[str], kept: str) -> int:
    """Do one run in this process and print its result, long fields left out; 0 once it has a verdict.

    `kept` says what the whole of it, in the run's folder, holds besides.
    """
    from core.tasks.queue import prepare
    from core.tasks.worker import run_job

    job = run_job(prepare(spec, output).path)
    if job.result is None:
        note(state_words(job))
        return 1
    fields = job.result.to_dict()
    print(json.dumps({name: value for name, value in fields.items() if name not in leave_out}, indent=2))
    note(f"{job.result.verdict}: {job.result.reason}")
    note(f"{kept}: {job.path / 'result.json'}")
    return 0


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the runs of a campaign go."""
    where = parser.add_argument_group(
        "where", "One after another in this process, unless one of these is given. All machines must see the folder of "
        "the runs under one path; a node that dies loses nothing that was kept.",
    )  # fmt: skip
    where.add_argument(
        "--workers", type=int, metavar="N", help="so many at a time, on a Dask cluster of this machine"
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler that is there, tcp://HOST:PORT"
    )
    where.add_argument(
        "--slurm", nargs="*", metavar="KEY=VALUE",
        help="jobs of SLURM by dask-jobqueue, --workers of them: queue, account, cores, memory, walltime, ...",
    )  # fmt: skip


def cluster_of(arguments: argparse.Namespace) -> "Cluster | None":
    """Return the cluster that the options ask for, None for this process."""
    from core.tasks.cluster import Cluster

    if arguments.scheduler is not None and arguments.slurm is not None:
        raise JobError("Give --scheduler or --slurm, not both.")
    if arguments.workers is not None and arguments.workers < 1:
        raise JobError(f"--workers is {arguments.workers}; 1 or more are needed.")
    if arguments.workers is None and arguments.scheduler is None and arguments.slurm is None:
        return None
    slurm = None
    if arguments.slurm is not None:
        if odd := [it for it in arguments.slurm if "=" not in it]:
            raise JobError(f"--slurm takes KEY=VALUE; {odd[0]!r} is none.")
        pairs = (it.split("=", 1) for it in arguments.slurm)
        slurm = {key: int(value) if value.isdecimal() else value for key, value in pairs}
    return Cluster(workers=arguments.workers or 1, address=arguments.scheduler, slurm=slurm)


def run_in_turn(
    specs: "Sequence[Spec]", output: Path | None, tell: "Callable[[Job, int, int], str]",
    cluster: "Cluster | None" = None,
) -> int:  # fmt: skip
    """Do runs one after another, or on a cluster, a line each; 0 when all are finished, 1 where some are not.

    `tell(job, n_seen, n_finished)` returns its line.
    """
    from core.tasks.campaign import run_all
    from core.tasks.cluster import run_on

    finished = 0
    jobs = run_all(specs, output) if cluster is None else run_on(cluster, specs, output)
    for seen, job in enumerate(jobs, 1):
        finished += job.state == "finished"
        note(tell(job, seen, finished))
        if cluster is None and job.state in ("interrupted", "cancelled"):
            return 1
    return 0 if finished == len(specs) else 1


def state_words(job: "Job") -> str:
    """Return a run's name, state, and its verdict or why it has none."""
    told = f"{job.result.verdict}: {job.result.reason}" if job.result is not None else job.error or ""
    return f"{job.job_id} {job.spec.subject.formula}: {job.state}, {told}"


def kinds(arguments: argparse.Namespace) -> int:
    """Print the kinds of calculation, one a line."""
    from core.calculations import all_kinds

    for spec in all_kinds().values():
        print(f"{spec.kind:16} {spec.title}")
    return 0


def submit(arguments: argparse.Namespace) -> int:
    """Start a run of any kind."""
    from core import tasks
    from core.calculations import read_spec

    try:
        fields = json.loads(arguments.spec.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SourceError(
            f"{arguments.spec} is not JSON ({error}); give a spec as `spec.json` holds it."
        ) from None
    if not isinstance(fields, dict):
        raise SourceError(f"{arguments.spec} holds no JSON object; give a spec as `spec.json` holds it.")
    job = tasks.submit(read_spec(fields), arguments.output)
    note(f"Run {job.job_id} is {job.state}; look at it with `python -m core runs status {job.job_id}`.")
    print(job.job_id)
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Print how a run stands."""
    from core import tasks

    job = tasks.status(arguments.job, arguments.output)
    print(
        json.dumps(row_of(job) | {"note": job.note, "latest": job.latest, "folder": str(job.path)}, indent=2)
    )
    return 0


def cancel(arguments: argparse.Namespace) -> int:
    """Ask a run to stop."""
    from core import tasks

    job = tasks.cancel(arguments.job, arguments.output)
    asked = ", asked to stop" if job.is_active else ""
    note(f"Run {job.job_id} is {job.state}{asked}.")
    return 0


def resume(arguments: argparse.Namespace) -> int:
    """Go on with a run in the background."""
    from core import tasks

    job = tasks.resume(arguments.job, arguments.output)
    note(f"Run {job.job_id} is {job.state}.")
    return 0


def list_runs(arguments: argparse.Namespace) -> int:
    """Print all runs, those that cannot be read with the reason; 1 where there are such."""
    from core.service.calculations import ROW_COLUMNS

    rows, n_unreadable = listed(arguments.output, arguments.kind)
    with open_output(arguments.csv) as stream:
        write_rows(stream, ROW_COLUMNS, rows)
    return 1 if n_unreadable else 0


def listed(runs: Path | None, kind: str | None) -> tuple[list[dict[str, Any]], int]:
    """Return the rows of a list of runs, and how many of them cannot be read."""
    from core.service.calculations import job_row, unreadable_row
    from core.tasks import list_jobs, unreadable_runs

    rows = [job_row(job) for job in list_jobs(runs) if kind in (None, job.spec.kind)]
    unreadable = [unreadable_row(item) for item in unreadable_runs(runs)]
    for row in unreadable:
        note(f"{row['name']} cannot be read: {row['error']}")
    return rows + unreadable, len(unreadable)


def merge(arguments: argparse.Namespace) -> int:
    """Publish a release with the runs' results; 1 where some were left out."""
    from core.service.calculations import merge_names
    from core.store import open_reader
    from core.tasks import list_jobs

    said = (job.folder.status().get("state") for job in list_jobs(arguments.output))
    if not arguments.jobs and "finished" not in said:
        raise JobError("No finished run to merge; start one with `mlmd run`.")
    with open_reader(arguments.precomputed) as reader:
        report = merge_names(arguments.jobs, reader, runs=arguments.output, precomputed=arguments.precomputed)
    for record in report.added:
        note(f"Added {record.name}: {record.verdict}.")
    skipped = report.skipped
    if not arguments.jobs and report.held:  # nobody asked for these
        skipped = [it for it in skipped if it not in report.held]
        note(f"{len(report.held)} are in the release already.")
    for item in skipped:
        note(f"Left out {item.id}: {item.reason}")
    if report.unsealed:
        note(f"Older than checksums, taken as they stand: {', '.join(report.unsealed)}.")
    note(
        f"Release {report.release.version}." if report.release else "Nothing new: the release stays as it is."
    )
    return 1 if skipped else 0


def export(arguments: argparse.Namespace) -> int:
    """Write every finished calculation, as a table of figures or whole."""
    from core.service.calculations import ROW_COLUMNS, export_documents, export_rows
    from core.store import open_reader

    whole = arguments.file is not None and arguments.file.suffix == ".jsonl"
    with open_reader() as reader, open_output(arguments.file) as stream:
        if whole:
            for document in export_documents(reader, arguments.kind, arguments.output):
                stream.write(json.dumps(document) + "\n")
        else:
            write_rows(stream, ROW_COLUMNS, export_rows(reader, arguments.kind, arguments.output))
    return 0


def row_of(job: "Job") -> dict[str, Any]:
    """Return a run as a row of figures."""
    from core.service.calculations import job_row

    return job_row(job)
