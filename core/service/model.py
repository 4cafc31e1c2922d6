"""The voltage model, and what its card says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.voltage import VoltageModel as VoltageModel


def load_model(name: str = "default") -> "VoltageModel":
    """Return a shipped voltage model; raise `ModelError` where it is absent or damaged."""
    from core.voltage import load_voltage_model

    return load_voltage_model(name)


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What the card of a voltage model says; what an older card does not say is None or empty.

    `errors`: rows of mean absolute errors by split of the labelled electrodes; `coverage`: the share of each split that
    lies within its 90 % interval.
    """

    name: str
    kind: str
    description: str
    n_labelled: int | None
    n_refused: int | None
    seeds: tuple[int, ...]
    created: str | None
    sha256: str
    data_sha256: str
    command: str | None
    errors: Mapping[str, Sequence[Mapping[str, Any]]]
    coverage: Mapping[str, float]


def facts_of(card: Mapping[str, Any]) -> ModelFacts:
    """Return what a model's card says."""
    return ModelFacts(
        name=card["name"],
        kind=card["kind"],
        description=card.get("description", card["name"]),
        n_labelled=card.get("n_labelled"),
        n_refused=card.get("n_refused"),
        seeds=_seeds(card),
        created=card.get("created"),
        sha256=card["sha256"],
        data_sha256=card["data_sha256"],
        command=card.get("command"),
        errors=card.get("errors", {}),
        coverage=card.get("coverage", {}),
    )


def _seeds(card: Mapping[str, Any]) -> tuple[int, ...]:
    """One seed for all members, or one for each: cards say either."""
    one = card.get("seed")
    return tuple(card.get("seeds") or (() if one is None else (one,)))
