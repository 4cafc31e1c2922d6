"""What is stable: the hull of the known phases, formation energies from a potential, conversion against insertion.

No voltage model reads any of it: a voltage is a difference of formation energies, which would give the labels away.
"""

from core.stability.conversion import Conversion, ConversionStep, conversion
from core.stability.ends import VERDICTS, EndStability, Stability, assess
from core.stability.formation import FormationEnergy, FormationModel, shipped_formation_model
from core.stability.hull import Decomposition, Hull, Product, shipped_hull
from core.stability.phases import Phase, Phases, hull_folder, shipped_phases

__all__ = [
    "VERDICTS", "Conversion", "ConversionStep", "Decomposition", "EndStability", "FormationEnergy", "FormationModel",
    "Hull", "Phase", "Phases", "Product", "Stability", "assess", "conversion", "hull_folder",
    "shipped_formation_model", "shipped_hull", "shipped_phases",
]  # fmt: skip
