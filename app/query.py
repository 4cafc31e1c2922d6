"""The whole state of the Screen page as one frozen record, and its form in the page's URL; `app.link` reads it back."""

from dataclasses import dataclass, fields, replace
from typing import Final
from urllib.parse import urlencode

from core.service.screen import DEFAULT_WEIGHTS, WANTED, Definition, Weights

VOLTAGE_RANGE_V: Final = (0.0, 7.0)
CAPACITY_RANGE_AH_PER_L: Final = (0.0, 3000.0)
SIGMA_RANGE_MS_PER_CM: Final = (0.0, 1000.0)
BARRIER_RANGE_EV: Final = (0.1, 2.0)
"""The upper end asks nothing."""

HULL_RANGE_EV_PER_ATOM: Final = (0.0, 0.5)
PRICE_RANGE_USD_PER_KG: Final = (0.0, 100_000.0)

MAX_SHORTLISTED: Final = 40
"""Ids that a link can carry."""

NAMES: Final[dict[str, str]] = {
    "definition": "by",
    "verdicts": "verdict",
    "voltage_v": "v",
    "voltage_max_v": "vmax",
    "capacity_vol_ah_per_l": "q",
    "sigma_ms_per_cm": "s",
    "barrier_ev": "barrier",
    "required": "with",
    "forbidden": "without",
    "sources": "source",
    "novelties": "known",
    "redox_metals": "redox",
    "max_hull_ev_per_atom": "hull",
    "known_hull_only": "known_hull",
    "max_price_usd_per_kg": "price",
    "non_toxic_only": "nontoxic",
    "in_domain_only": "domain",
    "with_anion_only": "anion",
    "text": "find",
    "pareto": "front",
    "show_all": "all",
    "polymorphs": "polymorphs",
    "weights": "weights",
    "x": "x",
    "y": "y",
    "colour": "colour",
    "shortlist": "shortlist",
    "welcome": "welcome",
    "selected": "id",
}
"""The URL parameter of each field."""


LIMITS: Final = (
    "definition", "voltage_v", "voltage_max_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm", "barrier_ev",
)  # fmt: skip
"""Fields that verdict and probability are by."""

FILTERS: Final = (
    "required", "forbidden", "sources", "novelties", "redox_metals", "max_hull_ev_per_atom", "known_hull_only",
    "max_price_usd_per_kg", "non_toxic_only", "in_domain_only", "with_anion_only", "text", "verdicts",
)  # fmt: skip
"""Fields that *Clear filters* clears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenQuery:
    """Thresholds, filters and selection of the Screen page.

    `definition`: whether cathodes are looked for, with a verdict among `verdicts`, or what the paper's definition lets
    pass. `sigma_ms_per_cm` 0 asks for no conductivity, `barrier_ev` at the end of its range for no barrier; a limit of
    None for none; empty tuples for any. `polymorphs` lists all of a formula. `x`, `y`: what the plot's axes show, empty
    for the capacity that counts and the voltage; `colour`: what its points are coloured by, empty for who passes.
    `shortlist`: ids that were put aside; `welcome`: whether the first visit's note is shown.
    """

    definition: Definition = "cathode"
    verdicts: tuple[str, ...] = WANTED
    voltage_v: float = 3.0
    voltage_max_v: float | None = None
    capacity_vol_ah_per_l: float = 800.0
    sigma_ms_per_cm: float = 0.0
    barrier_ev: float = BARRIER_RANGE_EV[1]
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    novelties: tuple[str, ...] = ()
    redox_metals: tuple[str, ...] = ()
    max_hull_ev_per_atom: float | None = None
    known_hull_only: bool = False
    max_price_usd_per_kg: float | None = None
    non_toxic_only: bool = False
    in_domain_only: bool = False
    with_anion_only: bool = False
    text: str = ""
    pareto: bool = False
    show_all: bool = False
    polymorphs: bool = False
    weights: Weights = DEFAULT_WEIGHTS
    x: str = ""
    y: str = ""
    colour: str = ""
    shortlist: tuple[str, ...] = ()
    welcome: bool = True
    selected: str | None = None

    def to_params(self) -> dict[str, str]:
        """Return every threshold, and each other field that differs from its default, as URL parameters."""
        default = ScreenQuery()
        always = {"voltage_v", "capacity_vol_ah_per_l"}
        return {
            NAMES[field.name]: _to_text(getattr(self, field.name))
            for field in fields(self)
            if field.name in always or getattr(self, field.name) != getattr(default, field.name)
        }

    def limit_params(self) -> dict[str, str]:
        """Return the limits alone as URL parameters: what other pages judge a candidate by."""
        names = {NAMES[field] for field in LIMITS}
        return {name: text for name, text in self.to_params().items() if name in names}

    def to_url(self, base: str) -> str:
        """Return the page at the root of `base` with the whole state as its query."""
        return f"{base.split('?')[0].rstrip('/')}/?{urlencode(self.to_params(), safe=',')}"

    @property
    def filter_count(self) -> int:
        """How many filters, thresholds aside, are at work."""
        default = ScreenQuery()
        names = set(FILTERS) - ({"verdicts"} if self.definition == "paper" else set())
        return sum(getattr(self, name) != getattr(default, name) for name in names)

    def without_filters(self) -> "ScreenQuery":
        """Return the same thresholds, display and selection with every filter cleared."""
        default = ScreenQuery()
        return replace(self, **{name: getattr(default, name) for name in FILTERS})


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Weights):
        return value.text()
    return f"{value:g}" if isinstance(value, float) else str(value)
