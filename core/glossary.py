"""The words that pages, tables and commands use, each told once in plain English.

meaning("in domain")    # 'Whether the compound resembles ...'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.errors import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word and what it means: `meaning` in one sentence, `more` where one is not enough."""

    name: str
    meaning: str
    more: str = ""

    @property
    def anchor(self) -> str:
        """The end of a link to the term on the About page."""
        return self.name.lower().replace(" ", "-")


GLOSSARY: Final = (
    Term(name="Average voltage", meaning="Of the whole discharge against magnesium metal: the energy that the ions "
         "release, divided by the charge that they carry.",
         more="A cell shows it only at rest; with current flowing it shows less on discharge and more on charge."),
    Term(name="Barrier", meaning="Energy that an ion must climb on the easiest way through the host, at the end of "
         "discharge where it is higher.", more="Below 0.65 eV magnesium crosses a small particle in two hours."),
    Term(name="Charged end", meaning="The host when the working ions have left it; the discharged end holds them all."),
    Term(name="Conductivity", meaning="How well the ions themselves carry current, from molecular dynamics, mostly at "
         "1200 K; it says little of electrons, and nothing of room temperature by itself."),
    Term(name="Conversion", meaning="The host falls apart into other phases, such as MgO and a metal, instead of "
         "taking magnesium in.", more="It is likely where its voltage lies above that of insertion."),
    Term(name="Doubtful", meaning="Verdict: at least one criterion speaks against making it."),
    Term(name="Energy above hull", meaning="Energy an atom that the compound would release by falling apart into "
         "the most stable known phases of its composition; 0 is stable.",
         more="Many compounds up to 0.1 eV/atom above can be made."),
    Term(name="Energy density", meaning="Voltage times capacity, of the cathode alone, by volume (Wh/L) or by mass "
         "(Wh/kg); a real cell holds much else, and gives less."),
    Term(name="Host", meaning="The framework of a compound without its working ions."),
    Term(name="In domain", meaning="Whether the compound resembles the labelled electrodes that the voltage model "
         "learned from; outside, a prediction is an extrapolation, and its interval may be too narrow."),
    Term(name="Insertion", meaning="Ions go into places of the host, which keeps its framework; also called "
         "intercalation."),
    Term(name="Label", meaning="A voltage by density-functional theory from Materials Project, which the model learns "
         "from or is tested on; no measurement."),
    Term(name="Make next", meaning="Verdict: all criteria that must be known are known, and none speaks against it."),
    Term(name="Mean-square displacement", meaning="How far ions have moved in a time, squared and averaged; its slope "
         "gives the diffusivity."),
    Term(name="No cathode", meaning="Verdict: no metal can give electrons for the ions that leave, whatever else "
         "holds."),
    Term(name="NPT and NVT", meaning="Parts of a simulation: NPT holds pressure and temperature, so that the cell "
         "finds its size; NVT then holds the cell, and is the part that is measured."),
    Term(name="Open", meaning="Verdict: nothing speaks against it, but something that must be known is not."),
    Term(name="Pareto front", meaning="Candidates than which no other is better in every figure."),
    Term(name="Pass probability", meaning="Chance that the true values pass every threshold, as far as the predicted "
         "spread tells.", more="What follows from a prediction is never certain, so that it ends at 99 %."),
    Term(name="Percolation", meaning="Hops that join into a way through the whole crystal; a fast hop that leads "
         "nowhere carries no current."),
    Term(name="Polarisation", meaning="The voltage that a cell loses to its current: why measured voltages differ from "
         "calculated ones, and between charge and discharge."),
    Term(name="Redox-limited capacity", meaning="What is left of the capacity when only as many ions leave as the "
         "metals' common oxidation states can pay for; empty where that cannot be counted.",
         more="MgAl₂O₄ has none: aluminium gives no further electron. The paper counts all ions."),
    Term(name="Relaxed voltage", meaning="From the energies of both ends at rest under an interatomic potential: a "
         "second opinion beside the predicted one."),
    Term(name="Topotactic", meaning="The host keeps its framework on charge; distorted and collapsed ones do not."),
    Term(name="Upper limit", meaning="The ions moved too little to measure how fast: the true value lies below, how "
         "far is not known.", more="A limit above the threshold is no pass."),
    Term(name="Volumetric capacity", meaning="Charge of all working ions in a litre of discharged crystal, without "
         "pores, carbon or binder."),
)  # fmt: skip
"""All terms in alphabetical order."""

_BY_NAME: Final[Mapping[str, Term]] = MappingProxyType({term.name.lower(): term for term in GLOSSARY})


def meaning(name: str) -> str:
    """Return what a term means, in one sentence; raise `RecordError` for one that is not in the glossary."""
    try:
        return _BY_NAME[name.lower()].meaning
    except KeyError:
        raise RecordError(f"{name} is not in the glossary of core/glossary.py.") from None
