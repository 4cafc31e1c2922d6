"""Predict a structure, and start, follow and steer calculations, as far as the owner's policy lets."""

from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Request

from core.errors import NotAllowedError, UnknownJobError
from core.service.calculations import (
    Job,
    all_kinds,
    cancel,
    job_row,
    list_jobs,
    read_spec,
    resume,
    status,
    unreadable_row,
    unreadable_runs,
)
from core.service.model import load_model
from core.service.policy import Policy, Visitor, start, visible
from core.service.predict import judged_structure, predict_upload
from core.service.release import current_reader

router = APIRouter()

MAX_BYTES: Final = 2_000_000
_AT_WORK = BoundedSemaphore(2)
"""Predictions at a time; a third is told to come back, not queued without end."""


def visitor_of(request: Request) -> Visitor:
    """Return who asks."""
    address = None if request.client is None else request.client.host
    return Visitor.of(request.headers, address, request.cookies)


_Asked = Annotated[Visitor, Depends(visitor_of)]


@router.post("/predict", tags=["predict"])
def predict(
    name: Annotated[str, Body(max_length=200, description="file name: its ending says CIF or POSCAR")],
    text: Annotated[str, Body(max_length=MAX_BYTES, description="the file's text")],
    working_ion: Annotated[str, Body()] = "Mg",
    model: Annotated[str, Body(pattern="^[a-z-]{1,40}$")] = "fast",
    relax: Annotated[bool, Body(description="relax cell and ions first; up to 120 sites")] = False,
) -> dict[str, Any]:
    """Return voltage, interval, capacities and verdict of a structure; `model` `default` is the accurate one.

    It alone looks at forces and pressure as given, so that `domain_reason` can say what is not relaxed.
    """
    if not _AT_WORK.acquire(blocking=False):
        raise NotAllowedError("Two predictions are at work already; ask again in some seconds.")
    try:
        found = predict_upload(name, text.encode(), working_ion, lambda: load_model(model), relax=relax)
        judged = None if found.error else judged_structure(found)
    finally:
        _AT_WORK.release()
    criteria = None if judged is None else [asdict(it) for it in judged.criteria]
    return found.row.as_dict() | {"criteria": criteria}


@router.get("/kinds", tags=["runs"])
def kinds() -> dict[str, str]:
    """Return the kinds of calculation that can be started, with their titles."""
    return {spec.kind: spec.title for spec in all_kinds().values()}


@router.get("/runs", tags=["runs"])
def runs(visitor: _Asked) -> list[dict[str, Any]]:
    """Return this server's runs, the latest first; of others those about candidates alone.

    An owner is told those that cannot be read too, with the reason and what to do.
    """
    rows = [job_row(job) for job in visible(list_jobs(), visitor, current_reader())]
    if Policy.from_environment().is_owner(visitor):
        rows += [unreadable_row(item) for item in unreadable_runs()]
    return rows


@router.post("/runs", tags=["runs"], status_code=201)
def submit(
    spec: Annotated[dict[str, Any], Body(description="a spec as `spec.json` of a run holds it")],
    visitor: _Asked,
) -> dict[str, Any]:
    """Start a calculation of any kind; one that is there is returned as it is."""
    return job_row(start(read_spec(spec), visitor))


@router.get("/runs/{name}", tags=["runs"])
def follow(name: str, visitor: _Asked) -> dict[str, Any]:
    """Return how a run stands: state, place in the queue, share done, last report, and the result once it is there."""
    job = _visible(name, visitor)
    result = None if job.result is None else job.result.to_dict()
    return job_row(job) | {"place": job.place, "note": job.note, "latest": job.latest, "result": result}


@router.post("/runs/{name}/cancel", tags=["runs"])
def stop(name: str, visitor: _Asked) -> dict[str, Any]:
    """Stop a run of one's own at its next step; its checkpoint is kept."""
    Policy.from_environment().check_steer(visitor, _visible(name, visitor))
    return job_row(cancel(name))


@router.post("/runs/{name}/resume", tags=["runs"])
def go_on(name: str, visitor: _Asked) -> dict[str, Any]:
    """Go on with a run of one's own from its checkpoint."""
    Policy.from_environment().check_steer(visitor, _visible(name, visitor))
    return job_row(resume(name))


def _visible(name: str, visitor: Visitor) -> Job:
    """A run that one may not see is not there."""
    job = status(name)
    if not visible([job], visitor, current_reader()):
        raise UnknownJobError(name, job.path.parent)
    return job
