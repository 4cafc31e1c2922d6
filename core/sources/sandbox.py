"""A child process that parses untrusted files under limits of time and memory, and is replaced when it dies."""

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any, Self

from core.errors import SourceError, StructureError
from core.settings import ROOT
from core.sources.limits import START_S, ParseLimits

_CHUNK_BYTES = 1 << 16


class StructureParser:
    """Parses one file after another in one child process, so that a folder costs one start, and a bad file itself.

    Use it as a context manager. The child sees no environment of ours but the path to Python's modules.
    """

    def __init__(self, limits: ParseLimits | None = None) -> None:
        self._limits = limits or ParseLimits()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parse(self, kind: str, text: str) -> dict[str, Any]:
        """Return what the child makes of a CIF, POSCAR or JSON text: plain lists, not yet checked.

        Raises `StructureError` with the child's reason, or where it took too much time or memory.
        """
        answer = self._ask(kind, text, self._limits.wall_s)
        if answer is not None and "load" in answer:
            self._check_loaded(self._ask("load", "", START_S))
            answer = self._ask(kind, text, self._limits.wall_s)
        if answer is None:
            self.close()
            raise StructureError(
                f"Reading it as {kind} took more than {self._limits.cpu_s:g} s or {self._limits.memory_bytes >> 20} MB "
                "and was stopped; give a plain file with one structure."
            )
        if "error" in answer:
            raise StructureError(answer["error"])
        return answer

    def _ask(self, kind: str, text: str, seconds: float) -> dict[str, Any] | None:
        """The child's answer to a request; None where it ended, or said nothing whole in time."""
        process = self._process or self._start()
        try:
            _stream(process.stdin).write(json.dumps({"kind": kind, "text": text}).encode() + b"\n")
            _stream(process.stdin).flush()
            return _read_answer(process, seconds)
        except BrokenPipeError:
            return None

    def close(self) -> None:
        """End the child process."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                _stream(stream).close()
            except BrokenPipeError:
                continue
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.sources._parse_child", json.dumps(asdict(self._limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=ROOT,
        )
        self._check_loaded(_read_answer(self._process, START_S))
        return self._process

    def _check_loaded(self, answer: dict[str, Any] | None) -> None:
        if answer is None:
            self.close()
            raise SourceError(
                "The process that reads structure files did not start; check that gemmi and pymatgen are installed "
                f"(`{sys.executable} -m pip check`) and that memory is free."
            )


def _environment() -> dict[str, str]:
    single_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ
    }
    return kept | single_thread | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def _stream(stream: Any) -> Any:
    if stream is None:
        raise SourceError("The process that reads structure files has no pipe; start it again.")
    return stream


def _read_answer(process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any] | None:
    """The next line of the child as an object; None where it ended, or said nothing whole in time."""
    deadline = time.monotonic() + seconds
    received = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(_stream(process.stdout), selectors.EVENT_READ)
        while not received.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            chunk = os.read(_stream(process.stdout).fileno(), _CHUNK_BYTES)
            if not chunk:
                return None
            received += chunk
    answer: dict[str, Any] = json.loads(received)
    return answer
