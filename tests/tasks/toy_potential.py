"""The cheap pair potential of the dynamics' tests in the form that the registry loads."""

import os
import time
from dataclasses import replace

from core.potentials import Capabilities, Evaluation, PotentialCard, registry
from tests.dynamics.toys import Toy, card

NAME = "toy"
PAUSE = "MGC_TEST_PAUSE_S"
TOY_CARD = card()


def read_card() -> PotentialCard:
    return card()


def refinable_card() -> PotentialCard:
    return replace(TOY_CARD, capabilities=Capabilities(can_be_refined=True), teacher=NAME)


class RegisteredToy(Toy):
    """Takes a pause at every step where the environment says so, for whoever wants to interrupt it."""

    def __init__(self, card: PotentialCard, *, device: str, dtype: str) -> None:
        super().__init__()
        self.card = card
        self._pause_s = float(os.environ.get(PAUSE, "0"))

    def _evaluate(self, atoms) -> Evaluation:
        time.sleep(self._pause_s)
        return super()._evaluate(atoms)


def register() -> None:
    registry._ENTRIES[NAME] = registry.Entry(module="tests.tasks.toy_potential", class_name="RegisteredToy")
