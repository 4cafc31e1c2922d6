"""Who sits at the browser, and what the owner's settings let them do (`core.service.policy`)."""

from collections.abc import Iterable

import streamlit as st

from app import state
from core.service.calculations import Job, Spec
from core.service.policy import Policy, Visitor
from core.service.policy import start as start_for
from core.service.policy import visible as visible_to


def visitor() -> Visitor:
    """Return who asks for this page."""
    context = st.context
    return Visitor.of(dict(context.headers), context.ip_address, dict(context.cookies))


def start(spec: Spec) -> Job:
    """Start a run for this visitor; raise `NotAllowedError`, or as `core.tasks.submit` does."""
    return start_for(spec, visitor())


def visible(jobs: Iterable[Job]) -> list[Job]:
    """Return the runs that the visitor may see: those about candidates, one's own, and for an owner all."""
    return visible_to(jobs, visitor(), state.reader())


def check_steer(job: Job) -> None:
    """Raise `NotAllowedError` unless the visitor may cancel or resume a run."""
    Policy.from_environment().check_steer(visitor(), job)


def check_merge() -> None:
    """Raise `NotAllowedError` unless the visitor may publish a release."""
    Policy.from_environment().check_merge(visitor())
