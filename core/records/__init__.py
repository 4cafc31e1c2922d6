"""The records that travel the line, from a source of crystals to a row on the page.

All are frozen, slotted and keyword-only, and check themselves where they are made: a record that exists is sound.
"""

from core.records.calculation import CONFIDENCE, VERDICTS, CalculationRecord, Conductivity
from core.records.crystal import Crystal, FloatArray
from core.records.electrode import Capacity, Electrode, FailedInput, Skipped, VoltagePrediction

__all__ = [
    "CONFIDENCE",
    "VERDICTS",
    "CalculationRecord",
    "Capacity",
    "Conductivity",
    "Crystal",
    "Electrode",
    "FailedInput",
    "FloatArray",
    "Skipped",
    "VoltagePrediction",
]
