"""Average voltages from discharged structures: labels, splits, network, training, calibration, prediction.

The public face:

- `load_voltage_model(name="default", folder=None) -> VoltageModel`; `.predict(crystals, working_ions,
  progress=None)`, `.embed(crystals, working_ions)`, `.card`, `.name`, `.sha256`. The card's `"kind"` picks
  the loader.
- `train_voltage(data_dir, *, name="cgcnn", seed=0, epochs=60, n_members=3, resume=False, models_dir=None,
  checkpoints_dir=None, progress=None) -> dict` trains for both test splits and for use, calibrates, writes
  the weights and the card, and returns the card. `progress(stage: str, done: int, total: int)` is called
  after every epoch.
- `core.voltage.frozen.training.train_frozen_host(data_dir, ...)` does the same for the default kind, judged by
  ten-fold cross-validation.
- `evaluate_voltage(data_dir, *, name="default", models_dir=None) -> str` returns the printed tables of
  errors: from the card, after it has checked that the data is the snapshot that the model was trained on (and
  says so if not).

The same functions serve any kind of model that `core.voltage.predict.Network` describes. Raises `ModelError`,
`TrainingError`, `SourceError`.
"""

from core.voltage.predict import VoltageModel, load_voltage_model
from core.voltage.recipe import evaluate_voltage, train_voltage

__all__ = ["VoltageModel", "evaluate_voltage", "load_voltage_model", "train_voltage"]
