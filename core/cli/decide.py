"""`mlmd run --until-decided`: runs until a conductivity lies above or below a limit as a whole."""

import argparse
import json
from typing import TYPE_CHECKING

from core.cli.output import note
from core.errors import JobError

if TYPE_CHECKING:
    from core.calculations.kinds.diffusion import DiffusionSpec
    from core.service.decide import Standing
    from core.tasks import Job

MAX_RUNS = 6


def add_until_decided(sub: argparse.ArgumentParser) -> None:
    """Add the options of going on until it is decided."""
    sub.add_argument(
        "--until-decided", action="store_true", help="go on with seeds and longer runs until it is decided"
    )
    sub.add_argument("--limit", type=float, default=100.0, metavar="MS_PER_CM",
                     help="conductivity that decides, mS/cm (default 100, the paper's)")  # fmt: skip
    sub.add_argument("--max-runs", type=int, default=MAX_RUNS, metavar="N",
                     help=f"runs at most (default {MAX_RUNS}); the command again goes on")  # fmt: skip


def run_until_decided(first: "DiffusionSpec", arguments: argparse.Namespace) -> int:
    """Do runs here, a line each, and print how it stands; 0 once it is decided, 1 where it is not."""
    from core.service.decide import until_decided
    from core.store import open_reader

    if arguments.detach:
        raise JobError("--until-decided stays in the foreground; leave --detach out.")
    with open_reader() as reader:
        for job, now in until_decided(
            reader, first, arguments.limit, max_runs=arguments.max_runs, runs=arguments.output
        ):
            note(_line(job, now))
    print(json.dumps(_summary(now, arguments.limit), indent=2))
    return 1 if now.outcome == "undecided" else 0


def _line(job: "Job | None", now: "Standing") -> str:
    told = "" if job is None else f"{job.job_id}: {job.state}. "
    seconds = now.expected_seconds
    cost = "" if seconds is None else f"Next: {seconds / 60:.3g} minutes at the speed of earlier runs."
    return " ".join(it for it in (f"{told}{now.outcome}: {now.reason}", now.next_words, cost) if it)


def _summary(now: "Standing", limit_ms_per_cm: float) -> dict[str, object]:
    figures = ("run_id", "verdict", "n_seeds", "simulated_ps", "sigma_ms_per_cm", "sigma_low_ms_per_cm",
               "sigma_high_ms_per_cm")  # fmt: skip
    pooled = {} if now.pooled is None else {name: getattr(now.pooled, name) for name in figures}
    return {"outcome": now.outcome, "limit_ms_per_cm": limit_ms_per_cm, "reason": now.reason, **pooled}
