"""Calculations as runs that outlive the page, the server and, by what they keep, their own process.

    job = submit(spec)             # waits for a process of its own; the same spec again is the same run
    job = status(job.job_id)       # Job: state, latest, progress, fraction, eta_s, error, note, result, path
    cancel(job.job_id), resume(job.job_id), list_jobs(), unreadable_runs()
    merge([job.path, ...])         # into the next database release, seeds pooled

One folder a run under the settings' `runs`; its files are described in `core.tasks.folder`. What a run does is its
kind's affair (`core.calculations`): nothing here knows of any. Errors are `JobError` kinds, and those of the kinds.
"""

from core.tasks.folder import RunFolder, runs_folder
from core.tasks.merge import MergeReport, merge, released
from core.tasks.queue import (
    ACTIVE,
    RESUMABLE,
    STATES,
    Job,
    cancel,
    list_jobs,
    resume,
    status,
    submit,
    unreadable_runs,
)

__all__ = [
    "ACTIVE",
    "RESUMABLE",
    "STATES",
    "Job",
    "MergeReport",
    "RunFolder",
    "cancel",
    "list_jobs",
    "merge",
    "released",
    "resume",
    "runs_folder",
    "status",
    "submit",
    "unreadable_runs",
]
