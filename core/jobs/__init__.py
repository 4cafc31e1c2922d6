"""Simulations as jobs that outlive the page, the server and, by their checkpoints, their own process.

    spec = JobSpec(id=crystal.id, crystal=crystal, protocol=PROTOCOLS["quick"], potential=default_potential())
    estimate(spec)                 # Estimate: measured seconds a step, expected seconds; before the start
    job = submit(spec)             # a process of its own; the same spec again is the same run
    job = status(job.job_id)       # Job: state, latest, progress, fraction, eta_s, error, note, result, path
    adapted(PROTOCOLS["quick"], nvt_ps=12.0)   # other numbers, and a name that says so
    cancel(job.job_id), resume(job.job_id), list_jobs()
    merge([job.path, ...])         # seeds pooled into the next database release

One folder a run under the settings' `runs`; its files are described in `core.jobs.folder`, the result in
`core.jobs.result`. `barrier(paths)` joins temperatures, `read_path(job.path)` gives the ions' positions for the
picture. Errors are `JobError` kinds, and those of the stages before.
"""

from core.jobs.expectation import Estimate, estimate
from core.jobs.folder import RunFolder
from core.jobs.path import mg_path, read_path
from core.jobs.pooled import barrier, pool_runs
from core.jobs.queue import ACTIVE, RESUMABLE, STATES, Job, cancel, list_jobs, resume, status, submit
from core.jobs.release import MergeReport, merge
from core.jobs.result import RunResult
from core.jobs.spec import JobSpec, adapted

__all__ = [
    "ACTIVE",
    "RESUMABLE",
    "STATES",
    "Estimate",
    "Job",
    "JobSpec",
    "MergeReport",
    "RunFolder",
    "RunResult",
    "adapted",
    "barrier",
    "cancel",
    "estimate",
    "list_jobs",
    "merge",
    "mg_path",
    "pool_runs",
    "read_path",
    "resume",
    "status",
    "submit",
]
