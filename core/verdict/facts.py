"""The columns of a frame as arrays that criteria read: absent numbers are NaN, absent texts are empty."""

from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.oxidation import has_anion, redox_metals
from core.records import FloatArray
from core.supply import shunned

BoolArray = NDArray[np.bool_]
States = NDArray[np.int8]
"""(n,) 1: for, -1: against, 0: unknown."""

FOR: Final = 1
AGAINST: Final = -1
UNKNOWN: Final = 0


class Facts:
    """A frame with the columns of the view `screening`, read as arrays; a column that it lacks is unknown throughout.

    Element facts are worked out once for each set of elements (`chemsys`), not for each row.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.n = len(frame)

    @cached_property
    def _systems(self) -> tuple[NDArray[np.intp], list[list[str]]]:
        """The place of each row among the sets of elements, and these; most who ask for numbers never need them."""
        systems = self.frame["chemsys"] if "chemsys" in self.frame else pd.Series([None] * self.n)
        codes, unique = pd.factorize(systems)
        return codes, [str(system).split("-") for system in unique]

    def number(self, name: str) -> FloatArray:
        """Return (n,) a column of numbers."""
        if name not in self.frame:
            return np.full(self.n, np.nan)
        values: FloatArray = self.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return values

    def is_text(self, name: str, *texts: str) -> BoolArray:
        """Return (n,) whether a column holds one of some texts."""
        if name not in self.frame:
            return np.zeros(self.n, dtype=np.bool_)
        found: BoolArray = self.frame[name].isin(texts).to_numpy()
        return found

    def has_text(self, name: str) -> BoolArray:
        """Return (n,) whether a column holds any text."""
        if name not in self.frame:
            return np.zeros(self.n, dtype=np.bool_)
        known: BoolArray = self.frame[name].notna().to_numpy()
        return known

    def is_true(self, name: str) -> BoolArray:
        """Return (n,) whether a column says yes; what is absent does not."""
        if name not in self.frame:
            return np.zeros(self.n, dtype=np.bool_)
        said: BoolArray = self.frame[name].eq(True).fillna(False).to_numpy(dtype=np.bool_)
        return said

    @property
    def elements_known(self) -> BoolArray:
        """(n,) whether the elements are known at all."""
        known: BoolArray = self._systems[0] >= 0
        return known

    @property
    def could_be_redox(self) -> BoolArray:
        """(n,) whether there is a redox metal and an anion."""
        return self._of_elements([bool(redox_metals(it)) and has_anion(it) for it in self._systems[1]])

    @property
    def is_shunned(self) -> BoolArray:
        """(n,) whether a radioactive or rare element is there."""
        return self._of_elements([any(shunned(it)) for it in self._systems[1]])

    def _of_elements(self, flags: list[bool]) -> BoolArray:
        answer = np.zeros(self.n, dtype=np.bool_)
        if flags:
            known = self.elements_known
            answer[known] = np.array(flags, dtype=np.bool_)[self._systems[0][known]]
        return answer


def states(is_for: BoolArray, is_against: BoolArray) -> States:
    """Return (n,) states; what is neither for nor against is unknown, and what is both is against."""
    answer: States = np.where(is_against, AGAINST, np.where(is_for, FOR, UNKNOWN)).astype(np.int8)
    return answer
