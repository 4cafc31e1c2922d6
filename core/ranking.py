"""The score by which candidates of one verdict are ordered: named parts between 0 and 1, and weights to change.

    weights = Weights.parse("price=0,barrier=2")       # the others keep their defaults
    score(with_figures(frame), Thresholds(), weights)  # score, score_voltage, ..., score_unknown

docs/ranking.md says why each part is as it is. Frames have the columns of the store's view `screening`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Final, Self

import numpy as np
import pandas as pd

from core.errors import RecordError
from core.probability import voltage_probability
from core.records import FloatArray
from core.supply import prices_usd_per_kg
from core.thresholds import CHARGED_HULL_EV_PER_ATOM, DISCHARGED_HULL_EV_PER_ATOM, Thresholds
from core.verdict.facts import Facts
from core.verdict.outcome import MELTED, barrier_limit_ev, conductivity_outcome, sigma_limit_ms_per_cm

FULL_ENERGY_WH_PER_L: Final = 5000.0
"""Of an energy density that earns the whole part: above all but one in a hundred candidates of the shipped release."""

DEAREST_USD_PER_KG: Final = 1000.0
"""Of elements at which the part of the price is used up; at 1 USD/kg it is whole."""

MELTED_FACTOR: Final = 0.5
"""What a score is multiplied by where the framework melted: known trouble must cost more than not knowing."""

MOST_WEIGHT: Final = 10.0

HOSTS: Final = MappingProxyType({"topotactic": 1.0, "distorted": 0.5, "collapsed": 0.0})
"""What the relaxed host earns; one that had not settled is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each part of the score counts, from 0 to 10; raise `RecordError` for others, and where all are 0."""

    voltage: float = 1.0
    energy: float = 1.0
    charged: float = 1.0
    discharged: float = 1.0
    host: float = 1.0
    barrier: float = 1.0
    conductivity: float = 0.5
    price: float = 0.5

    def __post_init__(self) -> None:
        for name, weight in asdict(self).items():
            if not (math.isfinite(weight) and 0.0 <= weight <= MOST_WEIGHT):
                raise RecordError(
                    f"weight {name} is {weight:g}; a number from 0 to {MOST_WEIGHT:g} is needed."
                )
        if not any(asdict(self).values()):
            raise RecordError("all weights are 0; one at least must count.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the weights that a text names, as `voltage=2,price=0`; the others keep their defaults."""
        named: dict[str, float] = {}
        for item in filter(None, (it.strip() for it in text.split(","))):
            name, _, number = (it.strip() for it in item.partition("="))
            try:
                named[name] = float(number)
            except ValueError:
                raise RecordError(f"weight {item!r} is not of the form name=number, as price=0.5.") from None
        if unknown := sorted(named.keys() - set(PARTS)):
            raise RecordError(
                f"there is no part {', '.join(unknown)} of the score; it has {', '.join(PARTS)}."
            )
        return cls(**named)

    def text(self) -> str:
        """Return the weights that differ from their defaults, as `parse` reads them."""
        return ",".join(f"{it.name}={it.value:g}" for it in self._all() if it.value != it.default)

    def as_dict(self) -> dict[str, float]:
        """Return the weights by the names of their parts."""
        return asdict(self)

    def _all(self) -> list["_Weight"]:
        return [
            _Weight(name=it.name, value=getattr(self, it.name), default=it.default) for it in fields(self)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weight:
    name: str
    value: float
    default: object


PARTS: Final = tuple(it.name for it in fields(Weights))
"""The parts of the score, in the order in which they are read."""


def energy_density(frame: pd.DataFrame) -> pd.DataFrame:
    """Return (n, 2) energy_vol_wh_per_l and energy_grav_wh_per_kg = V Q, of the cathode alone.

    V: predicted voltage; Q: the capacity that the redox metals pay for, of the discharged compound. NaN where either is
    not known.
    """
    facts = Facts(frame)
    voltage_v = facts.number("voltage_v")
    return pd.DataFrame(
        {
            "energy_vol_wh_per_l": voltage_v * facts.number("capacity_redox_vol_ah_per_l"),
            "energy_grav_wh_per_kg": voltage_v * facts.number("capacity_redox_grav_mah_per_g"),
        },
        index=frame.index,
    )


def with_figures(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with energy density and price_usd_per_kg as further columns."""
    price = prices_usd_per_kg(frame["formula"]) if "formula" in frame else np.nan
    return pd.concat([frame, energy_density(frame)], axis=1).assign(price_usd_per_kg=price)


def score(frame: pd.DataFrame, thresholds: Thresholds, weights: Weights) -> pd.DataFrame:
    """Return the score of each row, its parts and what of them is not known: score, score_voltage, ..., score_unknown.

    S = m sum_i w_i s_i / sum_i w_i, with s_i = 0 where part i is not known, and m = 1/2 where the framework melted in
    dynamics, else 1. Parts that are not known are NaN, and named in `score_unknown` where their weight is not 0. Takes
    a frame of `with_figures`.
    """
    facts = Facts(frame)
    parts = {name: part(facts, thresholds) for name, part in _PARTS.items()}
    weighted = sum(weight * np.nan_to_num(parts[name]) for name, weight in weights.as_dict().items())
    melted = np.where(facts.is_text("sigma_verdict", MELTED), MELTED_FACTOR, 1.0)
    return pd.DataFrame(
        {
            "score": melted * weighted / sum(weights.as_dict().values()),
            **{f"score_{name}": part for name, part in parts.items()},
            "score_unknown": _unknown(parts, weights),
        },
        index=frame.index,
    )


def _unknown(parts: Mapping[str, FloatArray], weights: Weights) -> list[str]:
    """Rows lack the same few combinations of parts: each is put into words once."""
    counted = [name for name, weight in weights.as_dict().items() if weight > 0.0]
    bits = 1 << np.arange(len(counted))
    lacking: list[int] = (np.isnan(np.column_stack([parts[it] for it in counted])) @ bits).tolist()
    words = {
        it: ", ".join(name for place, name in enumerate(counted) if it >> place & 1) for it in set(lacking)
    }
    return [words[it] for it in lacking]


def _halved_at(value: FloatArray, limit: float) -> FloatArray:
    """1 at 0 and below, 1/2 at the limit, 0 at twice the limit and above; NaN stays NaN."""
    answer: FloatArray = np.clip(1.0 - value / (2.0 * limit), 0.0, 1.0)
    return answer


def _energy(facts: Facts, thresholds: Thresholds) -> FloatArray:
    answer: FloatArray = np.clip(facts.number("energy_vol_wh_per_l") / FULL_ENERGY_WH_PER_L, 0.0, 1.0)
    return answer


def _charged(facts: Facts, thresholds: Thresholds) -> FloatArray:
    return _halved_at(facts.number("charged_e_above_hull_ev_per_atom"), CHARGED_HULL_EV_PER_ATOM)


def _discharged(facts: Facts, thresholds: Thresholds) -> FloatArray:
    """Of the energy that the source states, else of the computed one."""
    stated = facts.number("e_above_hull_ev_per_atom")
    computed = facts.number("discharged_e_above_hull_ev_per_atom")
    return _halved_at(np.where(np.isnan(stated), computed, stated), DISCHARGED_HULL_EV_PER_ATOM)


def _host(facts: Facts, thresholds: Thresholds) -> FloatArray:
    found = np.full(facts.n, np.nan)
    for word, earned in HOSTS.items():
        found[facts.is_text("framework", word)] = earned
    return found


def _barrier(facts: Facts, thresholds: Thresholds) -> FloatArray:
    return _halved_at(facts.number("barrier_ev"), max(barrier_limit_ev(thresholds), 1e-6))


def _conductivity(facts: Facts, thresholds: Thresholds) -> FloatArray:
    """1/2 + log10(sigma / limit) / 2: a decade above the limit is 1, one below it 0, as is what failed or melted."""
    limit, sigma = max(sigma_limit_ms_per_cm(thresholds), 1e-6), facts.number("sigma_ms_per_cm")
    earned = np.clip(0.5 + 0.5 * np.log10(np.maximum(sigma, 1e-9) / limit), 0.0, 1.0)
    failed = (conductivity_outcome(facts, thresholds) == "failed") & np.isnan(sigma)
    answer: FloatArray = np.where(failed | facts.is_text("sigma_verdict", MELTED), 0.0, earned)
    return answer


def _price(facts: Facts, thresholds: Thresholds) -> FloatArray:
    """1 - log10(p / (USD/kg)) / 3, between 0 and 1."""
    price = np.maximum(facts.number("price_usd_per_kg"), 1.0)
    answer: FloatArray = np.clip(1.0 - np.log(price) / np.log(DEAREST_USD_PER_KG), 0.0, 1.0)
    return answer


_PARTS: Final[dict[str, Callable[[Facts, Thresholds], FloatArray]]] = {
    "voltage": voltage_probability,
    "energy": _energy,
    "charged": _charged,
    "discharged": _discharged,
    "host": _host,
    "barrier": _barrier,
    "conductivity": _conductivity,
    "price": _price,
}
