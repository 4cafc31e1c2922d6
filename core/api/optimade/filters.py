"""OPTIMADE's filter language: the text, parsed by optimade-python-tools' grammar, as a test of an entry.

A test answers True, False, or None where the entry does not know the property; only True lets it through, and NOT of
None is None (section "Comparisons of unknown values" of the specification).
"""

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from core.api.optimade.properties import PREFIX, PROPERTIES, Property
from core.errors import ExplorerError

MAX_LENGTH: Final = 2_000
Test = Callable[[Mapping[str, Any]], bool | None]

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ACCEPTED: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,), "timestamp": (str,), "integer": (int, float), "float": (int, float), "boolean": (bool,),
}  # fmt: skip


class BadFilterError(ExplorerError):
    """A filter that is not in the language, or asks for a property that there is not."""


class UnsupportedFilterError(ExplorerError):
    """A filter of the optional parts of the language, which are not offered here."""


def parsed_filter(text: str) -> Test:
    """Return the test that a filter stands for; an empty one lets all through."""
    if not text.strip():
        return lambda row: True
    if len(text) > MAX_LENGTH:
        raise BadFilterError(f"The filter has {len(text)} characters; {MAX_LENGTH} are possible.")
    try:
        tree = _parser().parse(text)
    except (LarkError, RecursionError) as error:
        words = str(error).splitlines()[0]
        raise BadFilterError(f"The filter cannot be read: {words}") from None
    return _joined(True, [_expression(node) for node in tree.children])


@lru_cache(maxsize=1)
def _parser() -> Lark:
    """The parser of the library's grammar, whose rule of truths drops the word that it read: here it is kept."""
    from optimade.filterparser.lark_parser import AVAILABLE_PARSERS

    grammar = AVAILABLE_PARSERS[(1, 2, 0)]["default"].read_text(encoding="utf-8")
    return Lark(grammar.replace("\nbool:", "\n!bool:"), maybe_placeholders=False)


def _joined(decisive: bool, tests: list[Test]) -> Test:
    """Kleene's OR (`decisive` True) or AND (False) of tests."""

    def joined(row: Mapping[str, Any]) -> bool | None:
        answers = [test(row) for test in tests]
        return decisive if decisive in answers else None if None in answers else not decisive

    return tests[0] if len(tests) == 1 else joined


def _expression(node: Any) -> Test:
    """expression: clauses joined by OR; expression_clause: phrases joined by AND."""
    return _joined(
        True, [_joined(False, [_phrase(it) for it in clause.children]) for clause in node.children]
    )


def _phrase(node: Any) -> Test:
    inner = node.children[-1]
    test = _expression(inner) if inner.data == "expression" else _comparison(inner.children[0])
    is_negated = len(node.children) == 2
    return (lambda row: None if (answer := test(row)) is None else not answer) if is_negated else test


def _comparison(node: Any) -> Test:
    if node.data == "constant_first_comparison":
        constant, sign, other = node.children
        if not _is_property(other.children[0]):
            raise UnsupportedFilterError("A constant can be compared with a property alone.")
        return _ordered(_name(other.children[0]), _TURNED.get(str(sign), str(sign)), _value(constant))
    left, right = node.children
    return _RIGHT_SIDES[right.data](_name(left), right.children)


def _name(node: Any) -> str:
    parts = [str(token) for token in node.children]
    if len(parts) > 1:
        raise UnsupportedFilterError(
            f"{'.'.join(parts)}: properties within properties are not searched here."
        )
    name = parts[0]
    if name not in PROPERTIES and (not name.startswith("_") or name.startswith(f"_{PREFIX}_")):
        raise BadFilterError(f"There is no property {name}; /optimade/v1/info/structures lists them.")
    return name


def _property(name: str) -> Property | None:
    """None for a property of another provider, which is known of no entry here."""
    found = PROPERTIES.get(name)
    if found is not None and not found.is_queryable:
        raise UnsupportedFilterError(f"{name} is not searched here.")
    return found


def _is_property(node: Any) -> bool:
    return isinstance(node, Tree) and node.data == "property"


def _value(node: Any) -> Any:
    """A number, text or truth from the tree; another property in its place is not offered."""
    while isinstance(node, Tree) and node.data in (
        "value",
        "constant",
        "non_string_value",
        "not_implemented_string",
    ):
        node = node.children[0]
    if _is_property(node):
        raise UnsupportedFilterError("A property can be compared with a constant alone.")
    if node.data == "bool":
        return str(node.children[0]) == "TRUE"
    token = node.children[0]
    if node.data == "string":
        return str(token)[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return int(token) if token.type == "SIGNED_INT" else float(token)


def _ordered(name: str, sign: str, value: Any) -> Test:
    found = _property(name)
    if found is None:
        return lambda row: None
    if found.type == "list":
        raise BadFilterError(f"{name} is a list; ask it with HAS or LENGTH.")
    _check_type(name, found.type, value)
    if found.type == "boolean" and sign not in ("=", "!="):
        raise BadFilterError(f"{name} is true or false; compare it with = or !=.")
    compare = _OPERATORS[sign]
    return lambda row: None if (held := row[name]) is None else compare(held, value)


def _check_type(name: str, type_: str, value: Any) -> None:
    accepted = _ACCEPTED[type_]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise BadFilterError(f"{name} is a {type_}; {value!r} is none.")


def _value_side(name: str, parts: list[Any]) -> Test:
    return _ordered(name, str(parts[0]), _value(parts[1]))


def _known_side(name: str, parts: list[Any]) -> Test:
    wants_known = str(parts[-1]) == "KNOWN"
    found = PROPERTIES.get(name)
    if found is not None and not found.is_queryable:
        return lambda row: wants_known  # cell, places and species are known of every entry
    return lambda row: (row.get(name) is not None) == wants_known


def _fuzzy_side(name: str, parts: list[Any]) -> Test:
    word, value = str(parts[0]), _value(parts[-1])
    found = _property(name)
    if found is None:
        return lambda row: None
    if found.type not in ("string", "timestamp"):
        raise BadFilterError(f"{name} is no text; {word} asks a text.")
    _check_type(name, found.type, value)
    ask: Callable[[str, str], bool] = {
        "CONTAINS": str.__contains__, "STARTS": str.startswith, "ENDS": str.endswith,
    }[word]  # fmt: skip
    return lambda row: None if (held := row[name]) is None else ask(held, value)


def _set_side(name: str, parts: list[Any]) -> Test:
    found = _property(name)
    if found is not None and found.type != "list":
        raise BadFilterError(f"{name} is no list; HAS asks a list.")
    words = [str(part) for part in parts if isinstance(part, Token)]
    kind = next((word for word in words if word in ("ALL", "ANY", "ONLY")), "ALL")
    last = parts[-1]
    items = last.children if last.data == "value_list" else [last]
    if any(isinstance(item, Token) for item in items) or any(word in _OPERATORS for word in words):
        raise UnsupportedFilterError("Operators within HAS are not offered.")
    values = {_value(item) for item in items}
    if found is None:
        return lambda row: None
    asks: dict[str, Callable[[set[Any]], bool]] = {
        "ALL": values.issubset, "ANY": lambda held: not values.isdisjoint(held),
        "ONLY": lambda held: bool(held) and values >= held,
    }  # fmt: skip
    ask = asks[kind]
    return lambda row: None if (held := row[name]) is None else ask(set(held))


def _length_side(name: str, parts: list[Any]) -> Test:
    sign = next((str(part) for part in parts if isinstance(part, Token) and str(part) in _OPERATORS), "=")
    count = int(parts[-1].children[0])
    found = _property(name)
    if found is None:
        return lambda row: None
    if found.type != "list":
        raise BadFilterError(f"{name} is no list; LENGTH asks a list.")
    compare = _OPERATORS[sign]
    return lambda row: None if (held := row[name]) is None else compare(len(held), count)


def _zip_side(name: str, parts: list[Any]) -> Test:
    raise UnsupportedFilterError(f"Lists side by side ({name}:...) are not searched here.")


_RIGHT_SIDES: Final[Mapping[str, Callable[[str, list[Any]], Test]]] = {
    "value_op_rhs": _value_side, "known_op_rhs": _known_side, "fuzzy_string_op_rhs": _fuzzy_side,
    "set_op_rhs": _set_side, "length_op_rhs": _length_side, "set_zip_op_rhs": _zip_side,
}  # fmt: skip
