"""The Screen page's state from its URL. A link is untrusted: what cannot be falls back to its default, and is told."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, cast

from app.components.axes import PLOTTED
from app.components.elements import POSITION
from app.query import (
    BARRIER_RANGE_EV,
    CAPACITY_RANGE_AH_PER_L,
    HULL_RANGE_EV_PER_ATOM,
    MAX_SHORTLISTED,
    NAMES,
    PRICE_RANGE_USD_PER_KG,
    SIGMA_RANGE_MS_PER_CM,
    VOLTAGE_RANGE_V,
    ScreenQuery,
)
from core.errors import RecordError
from core.service.screen import DEFAULT_WEIGHTS, DEFINITIONS, NOVELTIES, VERDICTS, WANTED, Definition, Weights

_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_MAX_ITEMS = 120
_MAX_TEXT = 80
_DEFAULT: Final = ScreenQuery()


def parse_query(params: Mapping[str, str], *, sources: Iterable[str] | None = None) -> ScreenQuery:
    """Return the state that URL parameters describe; where `sources` is given, only those may be chosen."""
    return read_query(params, sources=sources)[0]


def read_query(
    params: Mapping[str, str], *, sources: Iterable[str] | None = None
) -> tuple[ScreenQuery, tuple[str, ...]]:
    """Return the state that URL parameters describe, and a sentence for each part that cannot be."""
    read = _Reading(params)
    required = read.items("required", POSITION, "an element")
    query = ScreenQuery(
        definition=cast(Definition, read.one_of("definition", DEFINITIONS)),
        verdicts=tuple(sorted(read.items("verdicts", VERDICTS, "a verdict"), key=VERDICTS.index)) or WANTED,
        voltage_v=read.number("voltage_v", VOLTAGE_RANGE_V) or 0.0,
        voltage_max_v=read.number("voltage_max_v", VOLTAGE_RANGE_V),
        capacity_vol_ah_per_l=read.number("capacity_vol_ah_per_l", CAPACITY_RANGE_AH_PER_L) or 0.0,
        sigma_ms_per_cm=read.number("sigma_ms_per_cm", SIGMA_RANGE_MS_PER_CM) or 0.0,
        barrier_ev=read.number("barrier_ev", BARRIER_RANGE_EV) or BARRIER_RANGE_EV[0],
        required=required,
        forbidden=tuple(it for it in read.items("forbidden", POSITION, "an element") if it not in required),
        sources=read.items("sources", None if sources is None else set(sources), "a source of this release"),
        novelties=read.items("novelties", NOVELTIES, f"one of {', '.join(NOVELTIES)}"),
        redox_metals=read.items("redox_metals", POSITION, "an element"),
        max_hull_ev_per_atom=read.number("max_hull_ev_per_atom", HULL_RANGE_EV_PER_ATOM),
        known_hull_only=read.flag("known_hull_only"),
        max_price_usd_per_kg=read.number("max_price_usd_per_kg", PRICE_RANGE_USD_PER_KG),
        non_toxic_only=read.flag("non_toxic_only"),
        in_domain_only=read.flag("in_domain_only"),
        with_anion_only=read.flag("with_anion_only"),
        text="".join(character for character in read.text("text") if character.isprintable())[:_MAX_TEXT],
        pareto=read.flag("pareto"),
        show_all=read.flag("show_all"),
        polymorphs=read.flag("polymorphs"),
        weights=read.weights(),
        x=read.one_of("x", PLOTTED),
        y=read.one_of("y", PLOTTED),
        colour=read.one_of("colour", PLOTTED),
        shortlist=read.ids("shortlist")[:MAX_SHORTLISTED],
        welcome=read.flag("welcome"),
        selected=next(iter(read.ids("selected")), None),
    )
    return query, tuple(read.faults)


class _Reading:
    """URL parameters read field by field; `faults` says of each that cannot be what was taken in its place."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self._params = params
        self.faults: list[str] = []

    def text(self, field: str) -> str:
        return self._params.get(NAMES[field], "")

    def number(self, field: str, limits: tuple[float, float]) -> float | None:
        text = self.text(field)
        default: float | None = getattr(_DEFAULT, field)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if limits[0] <= value <= limits[1]:
            return value
        taken = "no limit" if default is None else f"{default:g}"
        self._fault(field, text, f"is no number from {limits[0]:g} to {limits[1]:g}; {taken} stands for it")
        return default

    def flag(self, field: str) -> bool:
        text = self.text(field)
        if text in ("0", "1"):
            return text == "1"
        default: bool = getattr(_DEFAULT, field)
        if text:
            self._fault(field, text, f"is neither 0 nor 1; {int(default)} stands for it")
        return default

    def one_of(self, field: str, allowed: Collection[str]) -> str:
        text, default = self.text(field), str(getattr(_DEFAULT, field))
        if not text or text in allowed:
            return text or default
        self._fault(field, text, f"is none of {', '.join(allowed)}; the default stands for it")
        return default

    def items(self, field: str, allowed: Collection[str] | None, what: str) -> tuple[str, ...]:
        named = sorted({it.strip() for it in self.text(field).split(",")[:_MAX_ITEMS] if it.strip()})
        unknown = [it for it in named if allowed is not None and it not in allowed]
        if unknown:
            self._fault(field, ",".join(unknown), f"is not {what}, and left out")
        return tuple(it for it in named if it not in unknown)

    def ids(self, field: str) -> tuple[str, ...]:
        named = [it for it in dict.fromkeys(self.text(field).split(",")) if it]
        bad = [it for it in named if not _ID.fullmatch(it)]
        if bad:
            self._fault(field, ",".join(bad), "is no id, and left out")
        return tuple(it for it in named if it not in bad)

    def weights(self) -> Weights:
        try:
            return Weights.parse(self.text("weights")[:200])
        except RecordError as error:
            words = f"cannot be: {str(error).rstrip('.')}; the default stands for it"
            self._fault("weights", self.text("weights"), words)
            return DEFAULT_WEIGHTS

    def _fault(self, field: str, text: str, words: str) -> None:
        short = text if len(text) <= 40 else f"{text[:40]}…"
        self.faults.append(f"{NAMES[field]}={short} {words}.")
