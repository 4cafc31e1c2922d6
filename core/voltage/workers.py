"""Work shared out over processes, each of which loads its tools once; a few items are done in this one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Generic, TypeVar

import torch

from core.errors import ModelError
from core.settings import Settings

Tools = TypeVar("Tools")
Item = TypeVar("Item")
Made = TypeVar("Made")


class Workers(Generic[Tools, Item, Made]):
    """Makes `work(load(), item)` of each item, in order; tools and processes are kept for the next items.

    `load` and `work` are functions of a module, or partial ones, since processes are sent them by name. `pays_from`:
    items from which the start of processes pays.
    """

    def __init__(
        self, load: Callable[[], Tools], work: Callable[[Tools, Item], Made], *, pays_from: int, in_a_task: int = 1
    ) -> None:  # fmt: skip
        self.load = load
        self.work = work
        self.pays_from = pays_from
        self.in_a_task = in_a_task
        self._tools: Tools | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, items: Sequence[Item]) -> Iterator[Made]:
        """Yield what is made of each item. Raises `ModelError` where a process is killed."""
        n_workers = min(Settings.from_environment().threads, len(items))
        if len(items) >= self.pays_from and n_workers > 1:
            yield from self._in_processes(items, n_workers)
            return
        for item in items:
            if self._tools is None:
                self._tools = self.load()
            yield self.work(self._tools, item)

    def _in_processes(self, items: Sequence[Item], n_workers: int) -> Iterator[Made]:
        if self._pool is None:
            # Spawned, not forked: a fork of a process with running threads (torch, a web server) can hang.
            self._pool = ProcessPoolExecutor(
                n_workers, mp_context=get_context("spawn"), initializer=_start, initargs=(self.load,)
            )
        try:
            yield from self._pool.map(_run, ((self.work, item) for item in items), chunksize=self.in_a_task)
        except BrokenProcessPool:
            self._pool = None
            raise ModelError(
                f"One of {n_workers} processes that run the potentials was killed, most likely for want of memory: "
                "a site takes 20 MB. Set MGC_THREADS=1, or leave out the largest cells."
            ) from None


_tools: Any = None
"""What a worker process holds; set once by `_start`, never in the parent."""


def _start(make_tools: Callable[[], Any]) -> None:
    global _tools
    torch.set_num_threads(1)
    _tools = make_tools()


def _run(call: tuple[Callable[[Any, Any], Any], Any]) -> Any:
    work, item = call
    return work(_tools, item)
