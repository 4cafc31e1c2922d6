"""Every kind of voltage model behind one face, and what none of them may read."""

import argparse
import ast
from pathlib import Path

import pytest

import core.voltage
from core.cli.voltage import add_commands
from core.errors import ModelError
from core.voltage import KINDS, SHIPPED, voltage_kind
from core.voltage.base import VoltageKind

FORBIDDEN = ("formation_energy", "mp_formation_energies")


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_what_it_is(name: str) -> None:
    kind = voltage_kind(name)
    assert isinstance(kind, VoltageKind) and kind.name == name
    assert kind.description and kind.licence and kind.default_members >= 1


def test_an_unknown_kind_and_one_that_does_not_ship_are_refused() -> None:
    with pytest.raises(ModelError, match="'oracle' is not a kind"):
        voltage_kind("oracle")
    assert set(SHIPPED) <= set(KINDS)
    with pytest.raises(ModelError, match="do not ship"):
        voltage_kind("magpie-forest").load({}, None)


@pytest.mark.parametrize(
    "path", sorted(Path(core.voltage.__file__).parent.rglob("*.py")), ids=lambda it: it.stem
)
def test_no_voltage_model_reads_formation_energies(path: Path) -> None:
    """A voltage is a difference of them: as an input, a target or a filter they would give labels away."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    words += [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    words += [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert not [word for word in words if any(mark in word for mark in FORBIDDEN)]


def test_the_command_offers_the_kinds_that_ship() -> None:
    commands = argparse.ArgumentParser().add_subparsers()
    add_commands(commands)
    kind = next(it for it in commands.choices["train-voltage"]._actions if it.dest == "kind")
    assert tuple(kind.choices) == SHIPPED
