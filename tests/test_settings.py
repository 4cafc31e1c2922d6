"""Settings come from the environment; a device that is asked for and absent is an error."""

import os
import re
from pathlib import Path

import pytest

from core.calculations import all_kinds
from core.cli import EXIT_USAGE, main
from core.errors import CalculationError, DeviceError, SettingsError
from core.settings import ROOT, Settings, resolve_device


def test_defaults_suit_a_fresh_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRECOMPUTED", "DATA", "RUNS", "CHECKPOINTS", "THREADS", "CPU_SLOTS", "KINDS"):
        monkeypatch.delenv(f"MGC_{name}", raising=False)
    settings = Settings.from_environment()
    assert settings.precomputed == ROOT / "precomputed"
    assert settings.data == ROOT.parent / "shared" / "data"
    assert settings.runs == ROOT / "runs" and settings.checkpoints == ROOT / "checkpoints"
    assert settings.threads == os.cpu_count()
    assert settings.job_threads == 1 and settings.cpu_slots == 1
    assert settings.kinds == ()


def test_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path))
    monkeypatch.setenv("MGC_THREADS", "3")
    settings = Settings.from_environment()
    assert settings.precomputed == tmp_path and settings.threads == 3


def test_threads_asked_for_are_those_of_a_run_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_THREADS", "3")
    monkeypatch.setenv("MGC_CPU_SLOTS", " 2 ")
    settings = Settings.from_environment()
    assert settings.threads == settings.job_threads == 3
    assert settings.cpu_slots == 2


@pytest.mark.parametrize("text", ["", "0"])
def test_nothing_and_zero_are_the_default(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MGC_THREADS", text)
    monkeypatch.setenv("MGC_CPU_SLOTS", text)
    settings = Settings.from_environment()
    assert settings.threads == os.cpu_count() and settings.job_threads == settings.cpu_slots == 1


@pytest.mark.parametrize("name", ["MGC_THREADS", "MGC_CPU_SLOTS"])
@pytest.mark.parametrize("text", ["-1", "2.5", "two", "1e3", "0x2", "²", "2;3"])
def test_a_number_that_is_none_names_variable_value_and_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(
        SettingsError, match=f"^{name} is {re.escape(repr(text))}; give a whole number, 1 or more"
    ):
        Settings.from_environment()


def test_the_command_line_refuses_a_bad_setting_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MGC_CPU_SLOTS", "many")
    assert main(["runs", "list"]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "MGC_CPU_SLOTS is 'many'" in told


def test_kinds_are_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGC_KINDS", " one.kind, ,two_kinds,")
    assert Settings.from_environment().kinds == ("one.kind", "two_kinds")


@pytest.mark.parametrize("module", ["no_such_module", "json"])
def test_a_module_that_holds_no_kind_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setenv("MGC_KINDS", module)
    with pytest.raises(CalculationError, match=module):
        all_kinds()


def test_auto_takes_the_gpu_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    assert resolve_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("auto") == "cuda:0"


@pytest.mark.parametrize("name", ["cuda:0", "cuda", "tpu"])
def test_an_absent_device_is_an_error_never_a_silent_cpu_run(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="0 CUDA devices"):
        resolve_device(name)
