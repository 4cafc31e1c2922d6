"""Runs as those of the tasks' tests."""

from tests.tasks.conftest import make_spec, runs

__all__ = ["make_spec", "runs"]
