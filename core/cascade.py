"""Screening in a cascade: quick models for all structures, the costly one for those that could pass.

A structure goes on where the quicker model's voltage lies above the limit less a margin and its capacity above the
limit. What that loses and saves: `python -m benchmarks.cascade`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from core.capacity import capacity
from core.errors import ExplorerError
from core.ions import charge_number
from core.records import Crystal, VoltagePrediction
from core.thresholds import SCOPE_CAPACITY_AH_PER_L, SCOPE_VOLTAGE_V
from core.voltage import VoltageModel

MARGIN_V: Final = 0.5
"""How far below the limit a quicker model may see what the costly one lets pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a structure must be able to reach to be worth the next model: volts, and Ah/L with all ions out."""

    voltage_v: float = SCOPE_VOLTAGE_V
    capacity_vol_ah_per_l: float = SCOPE_CAPACITY_AH_PER_L
    margin_v: float = MARGIN_V

    def could_pass(self, voltage_v: float | None, capacity_vol_ah_per_l: float | None) -> bool:
        """Say whether a structure is worth a costlier model; one without a voltage or a capacity is not."""
        if voltage_v is None or capacity_vol_ah_per_l is None:
            return False
        enough_v = voltage_v >= self.voltage_v - self.margin_v
        return enough_v and capacity_vol_ah_per_l >= self.capacity_vol_ah_per_l


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Models in order of their cost; `predict` is used like a model's."""

    models: tuple[VoltageModel, ...]
    limits: Limits

    def predict(
        self,
        crystals: Sequence[Crystal],
        working_ions: Sequence[str],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[VoltagePrediction]:
        """Return one prediction a crystal, in order, of the costliest model that was asked; its `model` names it.

        Where a costlier model fails, the quicker one's prediction stays. `progress(done)` counts those decided.
        """
        found = self.models[0].predict(crystals, working_ions)
        capacities = list(map(_capacity, crystals, working_ions))
        places = list(range(len(crystals)))
        for model in self.models[1:]:
            places = [it for it in places if self.limits.could_pass(found[it].voltage_v, capacities[it])]
            n_decided = len(crystals) - len(places)

            def report(done: int, n_decided: int = n_decided) -> None:
                if progress is not None:
                    progress(n_decided + done)

            again = model.predict(
                [crystals[it] for it in places], [working_ions[it] for it in places], progress=report
            )
            for place, prediction in zip(places, again, strict=True):
                if prediction.error is None:
                    found[place] = prediction
        return found


def _capacity(crystal: Crystal, working_ion: str) -> float | None:
    try:
        return capacity(crystal, working_ion, charge_number(working_ion)).capacity_vol_ah_per_l
    except ExplorerError:
        return None
