"""Average voltages from discharged structures: labels, kinds of models, evaluation, prediction.

The public face:

- `load_voltage_model(name="default", folder=None) -> VoltageModel`; `.predict(crystals, working_ions,
  progress=None)`, `.embed(crystals, working_ions)`, `.card`, `.name`, `.sha256`.
- `train_voltage(data_dir, *, kind="frozen-host", ...) -> VoltageCard`: cross-validates, calibrates, fits on all rows,
  writes weights, card and out-of-fold table. One way for every kind.
- `evaluate_voltage(data_dir, *, name="default", models_dir=None) -> str` returns the printed tables of errors: from
  the card, after it has checked that the data is the snapshot that the model was trained on (and says so if not).
- `recalibrate(data_dir, name, *, models_dir=None) -> VoltageCard`: the intervals anew from the out-of-fold table.
- `voltage_kind(name) -> VoltageKind`, `core.voltage.evaluation.cross_validate`: a kind on the ten folds.

`core.voltage.base` says what a kind offers, `core.voltage.kinds` which there are. Raises `ModelError`, `TrainingError`,
`SourceError`.
"""

from core.voltage.card import VoltageCard
from core.voltage.kinds import KINDS, SHIPPED, voltage_kind
from core.voltage.predict import VoltageModel, load_voltage_model
from core.voltage.recalibration import recalibrate
from core.voltage.training import evaluate_voltage, train_voltage

__all__ = [
    "KINDS",
    "SHIPPED",
    "VoltageCard",
    "VoltageModel",
    "evaluate_voltage",
    "load_voltage_model",
    "recalibrate",
    "train_voltage",
    "voltage_kind",
]
