"""The cheap pair potential of the dynamics' tests in the form that the registry loads."""

import os
import time

from core.potentials import Evaluation, PotentialCard, registry
from tests.dynamics.toys import Toy, card

NAME = "toy"
PAUSE = "MGC_TEST_PAUSE_S"


def read_card() -> PotentialCard:
    return card()


class RegisteredToy(Toy):
    """Takes a pause at every step where the environment says so, for whoever wants to interrupt it."""

    def __init__(self, card: PotentialCard, *, device: str, dtype: str) -> None:
        super().__init__()
        self._pause_s = float(os.environ.get(PAUSE, "0"))

    def _evaluate(self, atoms) -> Evaluation:
        time.sleep(self._pause_s)
        return super()._evaluate(atoms)


def register() -> None:
    registry._ENTRIES[NAME] = registry.Entry(module="tests.jobs.toy_potential", class_name="RegisteredToy")
