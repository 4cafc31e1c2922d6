"""Criteria on voltages: the predicted one, the second opinions on it, the electrolyte's window, and conversion."""

from typing import Any, Final

import numpy as np

from core.quantities import QUANTITIES, is_missing
from core.thresholds import Thresholds
from core.verdict.facts import AGAINST, FOR, BoolArray, Facts, States, states
from core.verdict.rule import HALF_WIDTH, NOT_SETTLED, Row, Rule, number_of, text_of, word_of

RELAXED_SPREAD_V: Final = 0.25
"""Standard deviation of a relaxed voltage against its label, rounded up (`benchmarks.relaxed_voltages`)."""

DFT_SPREAD_V: Final = 0.3
"""Standard deviation of a first-principles voltage computed here against its label, rounded up (`benchmarks.dft`)."""

ELECTROLYTE_V: Final = 4.6
"""The highest oxidative stability against magnesium that is known of a magnesium electrolyte, a carborane's.

S. G. McArthur, L. Geng, J. Guo, V. Lavallo, Inorg. Chem. Front. 2, 1101 (2015), doi:10.1039/C5QI00171D.
"""


def _interval(facts: Facts) -> tuple[Any, Any, Any]:
    """Predicted voltage with the ends of its 90 % interval."""
    return facts.number("voltage_v"), facts.number("voltage_low_v"), facts.number("voltage_high_v")


def _is_trusted(facts: Facts) -> BoolArray:
    """(n,) whether there is an interval, and the model is in its domain, so that the interval holds."""
    _, low, high = _interval(facts)
    trusted: BoolArray = facts.is_true("in_domain") & ~np.isnan(low) & ~np.isnan(high)
    return trusted


def _voltage(facts: Facts, thresholds: Thresholds) -> States:
    """Asked of what the redox metals pay for: the prediction, which counts all ions, moved as relaxation moves it."""
    limit = thresholds.voltage_v
    predicted, _, high = _interval(facts)
    paid = predicted + facts.number("relaxed_redox_voltage_v") - facts.number("relaxed_voltage_v")
    paid_high = paid + np.hypot(high - predicted, HALF_WIDTH * RELAXED_SPREAD_V)
    is_for = (predicted > limit) & ~(paid <= limit) & _is_trusted(facts)
    return states(is_for, (high <= limit) | (paid_high <= limit))


def _predicted_words(row: Row) -> str:
    quantity = QUANTITIES["voltage_v"]
    between = quantity.between(row.get("voltage_low_v"), row.get("voltage_high_v"))
    return f"{quantity.text(row.get('voltage_v'))} ({f'90 %: {between}' if between else 'error not known'})"


def _voltage_words(row: Row, state: int, thresholds: Thresholds) -> str:
    predicted = number_of(row, "voltage_v")
    if predicted is None:
        return "no predicted voltage"
    redox, relaxed = number_of(row, "relaxed_redox_voltage_v"), number_of(row, "relaxed_voltage_v")
    paid = ""
    if redox is not None and relaxed is not None:
        paid = f", about {text_of('voltage_v', predicted + redox - relaxed)} as far as the redox metals pay"
    asked = f", {text_of('voltage_v', thresholds.voltage_v)} asked for"
    return f"predicted {_predicted_words(row)}{paid}{asked}{_domain_words(row)}"


def _domain_words(row: Row) -> str:
    in_domain, reason = row.get("in_domain"), word_of(row, "domain_reason")
    if is_missing(in_domain):
        return ", not known whether in the model's domain"
    return "" if in_domain else ", out of the model's domain" + (f" ({reason})" if reason else "")


def _agreement(facts: Facts, thresholds: Thresholds) -> States:
    off = np.abs(facts.number("voltage_v") - facts.number("relaxed_voltage_v"))
    allowed = HALF_WIDTH * np.sqrt(facts.number("voltage_std_v") ** 2 + RELAXED_SPREAD_V**2)
    return states(off <= allowed, off > allowed)


def _agreement_words(row: Row, state: int, thresholds: Thresholds) -> str:
    relaxed, predicted = number_of(row, "relaxed_voltage_v"), number_of(row, "voltage_v")
    if relaxed is None and word_of(row, "framework") == NOT_SETTLED:
        return "no relaxed voltage: relaxation had not settled"
    if relaxed is None:
        return "no relaxed voltage yet"
    if predicted is None:
        return f"relaxed voltage {text_of('voltage_v', relaxed)}, no prediction to hold it against"
    off = text_of("voltage_v", abs(relaxed - predicted))
    known = {FOR: "within their errors", AGAINST: "more than their errors"}
    how = known.get(state, "whose error is not known")
    return f"relaxed voltage {text_of('voltage_v', relaxed)}, {off} off the prediction, {how}"


def _first_principles(facts: Facts, thresholds: Thresholds) -> States:
    computed = facts.number("dft_voltage_v")
    return states(
        computed > thresholds.voltage_v, computed + HALF_WIDTH * DFT_SPREAD_V <= thresholds.voltage_v
    )


def _first_principles_words(row: Row, state: int, thresholds: Thresholds) -> str:
    computed = number_of(row, "dft_voltage_v")
    if computed is None:
        return "not checked by first principles"
    asked = f"{text_of('voltage_v', thresholds.voltage_v)} asked for"
    return f"{text_of('voltage_v', computed)} by first principles, {asked}"


def _electrolyte(facts: Facts, thresholds: Thresholds) -> States:
    """Against the upper end that is asked for; without one, against the best that is known, which is magnesium's."""
    asked = thresholds.voltage_max_v
    _, low, high = _interval(facts)
    is_judged = facts.is_text("working_ion", "Mg") | ("working_ion" not in facts.frame) | (asked is not None)
    limit = ELECTROLYTE_V if asked is None else asked
    return states(is_judged & (high <= limit) & _is_trusted(facts), is_judged & (low > limit))


def _electrolyte_words(row: Row, state: int, thresholds: Thresholds) -> str:
    ion, asked = word_of(row, "working_ion") if "working_ion" in row else "Mg", thresholds.voltage_max_v
    if ion != "Mg" and asked is None:
        return f"no limit is kept here for electrolytes of {ion}" if ion else "working ion not known"
    if is_missing(row.get("voltage_v")):
        return "no predicted voltage"
    limit_v = ELECTROLYTE_V if asked is None else asked
    whose = "that a magnesium electrolyte withstands" if asked is None else "asked for at most"
    limit = f"the {limit_v:g} V {whose}"
    if state in (FOR, AGAINST):
        return f"{text_of('voltage_v', row['voltage_v'])} is {'within' if state == FOR else 'beyond'} {limit}"
    high = number_of(row, "voltage_high_v")
    how = "perhaps beyond" if high is not None and high > limit_v else "not surely within"
    return f"{_predicted_words(row)} is {how} {limit}{_domain_words(row)}"


def _insertion(facts: Facts, thresholds: Thresholds) -> States:
    redox = facts.number("relaxed_redox_voltage_v")
    relaxed = np.where(np.isnan(redox), facts.number("relaxed_voltage_v"), redox)
    margin = relaxed - facts.number("conversion_voltage_v")
    return states(margin > RELAXED_SPREAD_V, margin < -RELAXED_SPREAD_V)


def _insertion_words(row: Row, state: int, thresholds: Thresholds) -> str:
    redox, conversion = number_of(row, "relaxed_redox_voltage_v"), number_of(row, "conversion_voltage_v")
    relaxed = number_of(row, "relaxed_voltage_v") if redox is None else redox
    if conversion is None:
        return "conversion voltage not known"
    if relaxed is None:
        return f"no relaxed voltage to hold against conversion at {text_of('voltage_v', conversion)}"
    part = "" if redox is None else " as far as the redox metals pay"
    order = {FOR: "above", AGAINST: "below"}.get(state, "within the error of")
    conversion_words = f"{order} conversion at {text_of('voltage_v', conversion)}"
    return f"inserts at {text_of('voltage_v', relaxed)}{part}, {conversion_words}"


VOLTAGE_RULES: Final = (
    Rule(key="voltage", title="Voltage", judge=_voltage, words=_voltage_words),
    Rule(key="agreement", title="Second opinion on the voltage", judge=_agreement, words=_agreement_words),
    Rule(key="first principles", title="Voltage by first principles", judge=_first_principles,
         words=_first_principles_words, needed=False),
    Rule(key="electrolyte", title="Within an electrolyte's window", judge=_electrolyte, words=_electrolyte_words),
)  # fmt: skip

INSERTION: Final = Rule(
    key="insertion", title="Insertion before conversion", judge=_insertion, words=_insertion_words
)
