"""Words told once, in order, and used as help."""

import pytest

from core.errors import RecordError
from core.glossary import GLOSSARY, Term, meaning
from core.quantities import QUANTITIES
from core.verdict import VERDICTS


@pytest.mark.parametrize("term", GLOSSARY, ids=lambda it: it.name)
def test_a_term_is_told_shortly(term: Term) -> None:
    assert term.meaning.endswith(".") and len(term.meaning) < 200
    assert not term.more or term.more.endswith(".")


def test_terms_stand_in_order_and_once() -> None:
    names = [term.name.lower() for term in GLOSSARY]
    assert names == sorted(set(names)) and len(names) >= 20


def test_every_word_of_a_verdict_is_told() -> None:
    assert {word.lower() for word in VERDICTS} <= {term.name.lower() for term in GLOSSARY}


def test_help_in_tables_says_the_same() -> None:
    assert QUANTITIES["in_domain"].help == meaning("in domain")
    assert QUANTITIES["capacity_redox_vol_ah_per_l"].help == meaning("Redox-limited capacity")
    with pytest.raises(RecordError, match="ionicity is not in the glossary"):
        meaning("ionicity")
