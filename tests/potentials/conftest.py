"""Potentials are loaded once a run; one whose package is missing skips its tests with the reason."""

from collections.abc import Callable
from functools import cache

import pytest

from core.errors import PotentialError
from core.potentials import POTENTIALS, Potential, load_potential

Loader = Callable[[str], Potential]


@cache
def _loaded(name: str, dtype: str) -> Potential | str:
    try:
        return load_potential(name, device="cpu", dtype=dtype)
    except PotentialError as error:
        return str(error)


def loaded(name: str, dtype: str = "float64") -> Potential:
    """A potential on the CPU, or a skip."""
    found = _loaded(name, dtype)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(params=POTENTIALS)
def potential(request: pytest.FixtureRequest) -> Potential:
    """Every registered potential in turn, in float64."""
    return loaded(request.param)


@pytest.fixture
def nequip_mp() -> Potential:
    return loaded("nequip-mp")


@pytest.fixture
def sevennet() -> Potential:
    """The reference, where its package is installed."""
    return loaded("sevennet-0")
