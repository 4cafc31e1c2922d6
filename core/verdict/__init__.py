"""Is it a cathode at all: criteria with their reasons, and the verdict that follows from them.

    judged = judge(frame, Thresholds())             # verdict, n_for, n_against, n_unknown of each row
    judgement(row, Thresholds()).criteria           # of one row: key, title, state, text with the numbers
    with_reasons(shown, Thresholds())               # the words as columns, for tables and CSV

Frames have the columns of the store's view `screening`; what was not computed is unknown, and never counts as a pass.
"""

from core.verdict.facts import BoolArray
from core.verdict.judge import (
    REASONS,
    VERDICTS,
    WANTED,
    Criterion,
    Judgement,
    State,
    is_wanted,
    judge,
    judgement,
    with_reasons,
)
from core.verdict.rule import HALF_WIDTH, NOT_SETTLED
from core.verdict.rules import RULES
from core.verdict.voltages import DFT_SPREAD_V, ELECTROLYTE_V, RELAXED_SPREAD_V

__all__ = [
    "DFT_SPREAD_V",
    "ELECTROLYTE_V",
    "HALF_WIDTH",
    "NOT_SETTLED",
    "REASONS",
    "RELAXED_SPREAD_V",
    "RULES",
    "VERDICTS",
    "WANTED",
    "BoolArray",
    "Criterion",
    "Judgement",
    "State",
    "is_wanted",
    "judge",
    "judgement",
    "with_reasons",
]
