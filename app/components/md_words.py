"""Diffusivities, conductivities, verdicts and durations as people read them."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.quantities import is_missing, scientific, significant

Row = Mapping[str, Any]

VERDICT_MEANING: Final = {
    "diffusive": "The ions move on from site to site: diffusivity and conductivity hold.",
    "upper limit": "No diffusion beyond its error was seen in the time simulated: the true value lies below the limit.",
    "framework melted": "The host left its sites: what moves is a melt, and a conductivity would mean nothing.",
    "too short": "The run ended before diffusion could be told from vibration.",
    "out of domain": "The potential's forces are too far from its teacher's to be trusted in this material.",
    "aborted": "The simulation broke and was stopped.",
}
"""What each verdict of `core.records.VERDICTS` says to a reader."""

VERDICT_LOOK: Final = {
    "diffusive": (":material/check_circle:", "green"),
    "upper limit": (":material/vertical_align_top:", "blue"),
    "framework melted": (":material/water_drop:", "orange"),
    "too short": (":material/timer_off:", "orange"),
    "out of domain": (":material/explore_off:", "orange"),
    "aborted": (":material/report:", "red"),
}
"""Icon and badge colour of each verdict."""

STATE_LOOK: Final = {
    "queued": (":material/schedule:", "gray"),
    "running": (":material/play_circle:", "blue"),
    "finished": (":material/check_circle:", "green"),
    "failed": (":material/error:", "red"),
    "cancelled": (":material/cancel:", "gray"),
    "interrupted": (":material/power_off:", "orange"),
}
"""Icon and badge colour of each state of a run."""


def sigma_words(row: Row) -> tuple[str, str]:
    """Return conductivity and the line beneath it, from a row with `sigma_ms_per_cm`, its ends and `sigma_verdict`."""
    verdict = row.get("sigma_verdict") or None
    value, low, high = (_number(row, f"sigma_{end}ms_per_cm") for end in ("", "low_", "high_"))
    if value is not None:
        between = _between(low, high, significant)
        return f"{significant(value)} mS/cm", f"{between} mS/cm" if between else ""
    if high is not None and verdict == "upper limit":
        return f"below {significant(high)} mS/cm", "upper limit, 90 %"
    return ("none", verdict) if verdict else ("not computed", "no molecular dynamics yet")


def d_words(row: Row) -> tuple[str, str]:
    """Return diffusivity and the line beneath it, from a result with `d_cm2_per_s` and the ends of its interval."""
    value, low, high = (_number(row, name) for name in ("d_cm2_per_s", "d_low_cm2_per_s", "d_high_cm2_per_s"))
    if value is not None:
        return f"{scientific(value)} cm²/s", _between(low, high, scientific)
    if high is not None:
        return f"below {scientific(high)} cm²/s", "upper limit, 90 %"
    return "none", row.get("verdict") or ""


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return None if is_missing(value) else float(value)  # type: ignore[arg-type]


def _between(low: float | None, high: float | None, words: Callable[[float], str]) -> str:
    return "" if low is None or high is None else f"90 %: {words(low)} to {words(high)}"


def duration_words(seconds: float | None) -> str:
    """Return a duration as people say it: 40 s, 12 min, 3 h 20 min, 2 days."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes and hours < 12 else f"{hours} h"
    return f"{hours / 24:.0f} days"


def age_words(seconds: float | None) -> str:
    """Return how long ago something was."""
    return "just now" if seconds is not None and seconds < 60 else f"{duration_words(seconds)} ago"
