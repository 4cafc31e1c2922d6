"""The whole state of the Screen page as one frozen record, and its form in the page's URL.

A link is untrusted: what does not parse or lies out of range falls back to the default, silently and alone.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final
from urllib.parse import urlencode

from app.components.elements import POSITION
from core.service.screen import VERDICTS, WANTED, Definition

VOLTAGE_RANGE_V: Final = (0.0, 7.0)
CAPACITY_RANGE_AH_PER_L: Final = (0.0, 3000.0)
SIGMA_RANGE_MS_PER_CM: Final = (0.0, 1000.0)
BARRIER_RANGE_EV: Final = (0.1, 2.0)
"""The upper end asks nothing."""

HULL_RANGE_EV_PER_ATOM: Final = (0.0, 0.5)
PRICE_RANGE_USD_PER_KG: Final = (0.0, 100_000.0)

_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_MAX_ITEMS = 120
_MAX_TEXT = 80
_NAMES: Final[dict[str, str]] = {
    "definition": "by",
    "verdicts": "verdict",
    "voltage_v": "v",
    "capacity_vol_ah_per_l": "q",
    "sigma_ms_per_cm": "s",
    "barrier_ev": "barrier",
    "required": "with",
    "forbidden": "without",
    "sources": "source",
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
    "selected": "id",
}


_LIMITS: Final = ("definition", "voltage_v", "capacity_vol_ah_per_l", "sigma_ms_per_cm", "barrier_ev")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenQuery:
    """Thresholds, filters and selection of the Screen page.

    `definition`: whether cathodes are looked for, with a verdict among `verdicts`, or what the paper's definition lets
    pass. `sigma_ms_per_cm` 0 asks for no conductivity, `barrier_ev` at the end of its range for no barrier; a limit of
    None for none; empty tuples for any.
    """

    definition: Definition = "cathode"
    verdicts: tuple[str, ...] = WANTED
    voltage_v: float = 3.0
    capacity_vol_ah_per_l: float = 800.0
    sigma_ms_per_cm: float = 0.0
    barrier_ev: float = BARRIER_RANGE_EV[1]
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
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
    selected: str | None = None

    def to_params(self) -> dict[str, str]:
        """Return every threshold, and each other field that differs from its default, as URL parameters."""
        default = ScreenQuery()
        always = {"voltage_v", "capacity_vol_ah_per_l"}
        return {
            _NAMES[field.name]: _to_text(getattr(self, field.name))
            for field in fields(self)
            if field.name in always or getattr(self, field.name) != getattr(default, field.name)
        }

    def limit_params(self) -> dict[str, str]:
        """Return the limits alone as URL parameters: what other pages judge a candidate by."""
        names = {_NAMES[field] for field in _LIMITS}
        return {name: text for name, text in self.to_params().items() if name in names}

    def to_url(self, base: str) -> str:
        """Return the page at the root of `base` with the whole state as its query."""
        return f"{base.split('?')[0].rstrip('/')}/?{urlencode(self.to_params(), safe=',')}"

    @property
    def filter_count(self) -> int:
        """How many filters, thresholds aside, are at work."""
        default = ScreenQuery()
        names = {
            "required", "forbidden", "sources", "redox_metals", "max_hull_ev_per_atom", "known_hull_only",
            "max_price_usd_per_kg", "non_toxic_only", "in_domain_only", "with_anion_only", "text",
        } | ({"verdicts"} if self.definition == "cathode" else set())  # fmt: skip
        return sum(getattr(self, name) != getattr(default, name) for name in names)

    def without_filters(self) -> "ScreenQuery":
        """Return the same thresholds, display and selection with every filter cleared."""
        return ScreenQuery(
            definition=self.definition,
            voltage_v=self.voltage_v,
            capacity_vol_ah_per_l=self.capacity_vol_ah_per_l,
            sigma_ms_per_cm=self.sigma_ms_per_cm,
            barrier_ev=self.barrier_ev,
            pareto=self.pareto,
            show_all=self.show_all,
            selected=self.selected,
        )


def parse_query(params: Mapping[str, str], *, sources: Iterable[str] | None = None) -> ScreenQuery:
    """Return the state that URL parameters describe; where `sources` is given, only those may be chosen."""
    get = {field: params.get(name, "") for field, name in _NAMES.items()}
    required = _elements(get["required"])
    known = None if sources is None else set(sources)
    chosen = _items(get["sources"])
    query = ScreenQuery(
        definition="paper" if get["definition"] == "paper" else "cathode",
        verdicts=_verdicts(get["verdicts"]),
        voltage_v=_number(get["voltage_v"], 3.0, VOLTAGE_RANGE_V),
        capacity_vol_ah_per_l=_number(get["capacity_vol_ah_per_l"], 800.0, CAPACITY_RANGE_AH_PER_L),
        sigma_ms_per_cm=_number(get["sigma_ms_per_cm"], 0.0, SIGMA_RANGE_MS_PER_CM),
        barrier_ev=_number(get["barrier_ev"], BARRIER_RANGE_EV[1], BARRIER_RANGE_EV),
        required=required,
        forbidden=tuple(item for item in _elements(get["forbidden"]) if item not in required),
        sources=tuple(item for item in chosen if known is None or item in known),
        redox_metals=_elements(get["redox_metals"]),
        known_hull_only=get["known_hull_only"] == "1",
        non_toxic_only=get["non_toxic_only"] == "1",
        in_domain_only=get["in_domain_only"] == "1",
        with_anion_only=get["with_anion_only"] == "1",
        text="".join(character for character in get["text"] if character.isprintable())[:_MAX_TEXT],
        pareto=get["pareto"] == "1",
        show_all=get["show_all"] == "1",
        selected=get["selected"] if _ID.fullmatch(get["selected"]) else None,
    )
    return replace(
        query,
        max_hull_ev_per_atom=_limit(get["max_hull_ev_per_atom"], HULL_RANGE_EV_PER_ATOM),
        max_price_usd_per_kg=_limit(get["max_price_usd_per_kg"], PRICE_RANGE_USD_PER_KG),
    )


def _limit(text: str, limits: tuple[float, float]) -> float | None:
    value = _number(text, math.nan, limits)
    return None if math.isnan(value) else value


def _verdicts(text: str) -> tuple[str, ...]:
    """The verdicts that a link names, best first; the default where it names none."""
    named = {item.strip() for item in text.split(",")[:_MAX_ITEMS]}
    return tuple(verdict for verdict in VERDICTS if verdict in named) or WANTED


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(text: str, default: float, limits: tuple[float, float]) -> float:
    try:
        value = float(text)
    except ValueError:
        return default
    return value if limits[0] <= value <= limits[1] else default


def _items(text: str) -> tuple[str, ...]:
    return tuple(sorted({item.strip() for item in text.split(",")[:_MAX_ITEMS] if item.strip()}))


def _elements(text: str) -> tuple[str, ...]:
    return tuple(item for item in _items(text) if item in POSITION)
