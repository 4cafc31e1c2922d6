"""Numbers, verdicts and durations of molecular dynamics in words."""

import pytest

from app.components.md_words import (
    VERDICT_LOOK,
    VERDICT_MEANING,
    age_words,
    d_words,
    duration_words,
    sigma_words,
)
from core.quantities import scientific, significant
from core.records import VERDICTS


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (1234.0, "1,200"),
        (153.4, "150"),
        (15.34, "15"),
        (1.534, "1.5"),
        (0.153, "0.15"),
        (2e-6, "2.0×10⁻⁶"),
    ],
)
def test_two_significant_digits(value: float, words: str) -> None:
    assert significant(value) == words


def test_scientific_has_real_superscripts() -> None:
    assert scientific(1.34e-5) == "1.3×10⁻⁵" and scientific(4.0) == "4.0×10⁰"


def test_every_verdict_is_explained() -> None:
    assert set(VERDICT_MEANING) == set(VERDICT_LOOK) == set(VERDICTS)


def test_conductivity_in_words() -> None:
    known = {"sigma_ms_per_cm": 150.0, "sigma_low_ms_per_cm": 90.0, "sigma_high_ms_per_cm": 240.0}
    assert sigma_words(known | {"sigma_verdict": "diffusive"}) == ("150 mS/cm", "90 %: 90 to 240 mS/cm")
    limit = {"sigma_ms_per_cm": None, "sigma_high_ms_per_cm": 3.21, "sigma_verdict": "upper limit"}
    assert sigma_words(limit) == ("below 3.2 mS/cm", "upper limit, 90 %")
    melted = {
        "sigma_ms_per_cm": float("nan"),
        "sigma_high_ms_per_cm": None,
        "sigma_verdict": "framework melted",
    }
    assert sigma_words(melted) == ("none", "framework melted")
    assert sigma_words({"sigma_ms_per_cm": None, "sigma_verdict": None})[0] == "not computed"


def test_diffusivity_in_words() -> None:
    assert d_words({"d_cm2_per_s": 1e-5, "d_low_cm2_per_s": 5e-6, "d_high_cm2_per_s": 2e-5}) == (
        "1.0×10⁻⁵ cm²/s", "90 %: 5.0×10⁻⁶ to 2.0×10⁻⁵",
    )  # fmt: skip
    assert d_words({"d_cm2_per_s": None, "d_high_cm2_per_s": 3e-7})[0] == "below 3.0×10⁻⁷ cm²/s"
    assert d_words({"d_cm2_per_s": None, "d_high_cm2_per_s": None, "verdict": "aborted"}) == (
        "none",
        "aborted",
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "unknown"), (float("inf"), "unknown"), (12.4, "12 s"), (600, "10 min"), (12000, "3 h 20 min"),
     (86400, "24 h"), (864000, "10 days")],
)  # fmt: skip
def test_durations(seconds: float | None, words: str) -> None:
    assert duration_words(seconds) == words


def test_ages() -> None:
    assert age_words(3) == "just now" and age_words(600) == "10 min ago"
