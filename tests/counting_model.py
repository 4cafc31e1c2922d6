"""A model without a network, and as a script the command line with it, half a second a chunk."""

import sys
import time
from collections.abc import Sequence

from core.cli import main
from core.records import Crystal, VoltagePrediction
from core.service import predict


class Counting:
    """Predicts 3.5 V and counts the structures that it is asked about."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.n_asked = 0
        self.seconds = seconds

    def predict(self, crystals: Sequence[Crystal], ions: Sequence[str]) -> list[VoltagePrediction]:
        self.n_asked += len(crystals)
        time.sleep(self.seconds)
        return [
            VoltagePrediction(
                id=crystal.id, formula=crystal.formula, working_ion=ion, voltage_v=3.5, voltage_std_v=0.5,
                voltage_low_v=2.7, voltage_high_v=4.3, in_domain=True, model="counting",
            )
            for crystal, ion in zip(crystals, ions, strict=True)
        ]  # fmt: skip


if __name__ == "__main__":
    predict.load_model = lambda name: Counting(0.5)
    sys.exit(main(sys.argv[1:]))
