"""What a visitor waits for: pages in a real browser on a local server that this program starts, and who works then.

Each line is a median over repeats, each in a new browser context, so that nothing is in the browser's cache. Wall
seconds run from the request, key or click until the thing named is drawn; beside them stand the CPU seconds of server
and browser. Wall seconds grow with whatever else the machine does, CPU seconds hardly. `first` is a candidate or file
that the server has not shown before, `again` one that it has.

    python -m benchmarks.pages [--repeats 5] [--only screen slider candidate compare predict]
                               [--ids ID ...] [--browser PATH]
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks._server import Server, cpu_s, machine_words, running_server
from core.service.candidates import examples
from core.service.release import open_reader

FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
LIMIT_MS = 240_000
MOVES = 8
MAX_SITES = 40
"""Of the candidates that are opened: larger cells are few, and their pictures slower to draw."""

IS_STILL = """() => document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"""
PLOT_IS_DRAWN = "() => document.querySelector('.js-plotly-plot .main-svg')"
TABLE_IS_DRAWN = "() => document.querySelector('[data-testid=stDataFrame] canvas')"
PICTURES_ARE_DRAWN = """count => {
  const viewers = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map(host => host.shadowRoot?.querySelector('.structure-viewer'));
  return viewers.filter(viewer => viewer?.dataset.ready === 'true').length >= count;
}"""
ALL_PICTURES_ARE_DRAWN = """count => {
  const viewers = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map(host => host.shadowRoot?.querySelector('.structure-viewer'));
  const waiting = viewers.find(viewer => viewer?.dataset.ready !== 'true');  // it starts when it is scrolled to
  waiting?.scrollIntoView({block: 'nearest'});
  return !waiting && viewers.length >= count;
}"""
TRANSFERRED = """() => {
  const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return [all.length, all.reduce((sum, it) => sum + it.encodedBodySize, 0) / 1e6];
}"""


@dataclass(kw_only=True)
class Line:
    """What was measured under one name, a number each repeat."""

    wall_s: list[float] = field(default_factory=list)
    server_s: list[float] = field(default_factory=list)
    browser_s: list[float] = field(default_factory=list)

    def words(self, name: str) -> str:
        """Return the line of the report."""
        wall, server, browser = map(statistics.median, (self.wall_s, self.server_s, self.browser_s))
        spread = f"{min(self.wall_s):.2f} to {max(self.wall_s):.2f}"
        return f"{name:<44} {wall:>7.2f} {spread:>16} {server:>9.2f} {browser:>9.2f} {len(self.wall_s):>4}"


class Bench:
    """A browser on a server, and the lines measured so far."""

    def __init__(self, server: Server, browser: Browser, repeats: int, ids: Sequence[str] = ()) -> None:
        self.server, self.browser, self.repeats, self.ids = server, browser, repeats, ids
        self.lines: dict[str, Line] = {}

    @contextmanager
    def page(self) -> Iterator[Page]:
        """A page of a visitor whose browser has never been here."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(LIMIT_MS)
        try:
            yield context.new_page()
        finally:
            context.close()

    @contextmanager
    def timed(self, *names: str) -> Iterator[Callable[[], None]]:
        """Measure the block; the callable that it gives ends the line of the first name, the block's end the last."""
        start, server_s, browser_s = time.perf_counter(), self.server.cpu_s(), self._browser_cpu_s()
        left = list(names)

        def done() -> None:
            line = self.lines.setdefault(left.pop(0), Line())
            line.wall_s.append(time.perf_counter() - start)
            line.server_s.append(self.server.cpu_s() - server_s)
            line.browser_s.append(self._browser_cpu_s() - browser_s)

        yield done
        if left:
            done()

    def _browser_cpu_s(self) -> float:
        of_server = {
            self.server.process.pid,
            *(it.pid for it in self.server.process.children(recursive=True)),
        }
        return cpu_s([it for it in psutil.Process().children(recursive=True) if it.pid not in of_server])

    def report(self) -> None:
        """Print every line."""
        print(f"{'':<44} {'wall s':>7} {'':>16} {'server s':>9} {'browser s':>9} {'n':>4}")
        for name, line in self.lines.items():
            print(line.words(name))


def screen(bench: Bench) -> None:
    """First view of the Screen page, and how much comes over the wire."""
    for _ in range(bench.repeats):
        with bench.page() as page, bench.timed("Screen, plot drawn", "Screen, all drawn") as done:
            page.goto(bench.server.url, wait_until="commit")
            page.wait_for_function(PLOT_IS_DRAWN)
            done()
            page.wait_for_function(TABLE_IS_DRAWN)
            page.wait_for_function(IS_STILL)
            count, megabytes = page.evaluate(TRANSFERRED)
    print(f"Screen: {count} requests, {megabytes:.1f} MB")


def slider(bench: Bench) -> None:
    """Moves of the voltage slider, one key press each."""
    with bench.page() as page:
        page.goto(f"{bench.server.url}/?v=1&q=800", wait_until="commit")
        page.wait_for_function(PLOT_IS_DRAWN)
        page.wait_for_function(IS_STILL)
        handle = page.get_by_role("slider", name="Voltage (V)")
        handle.focus()
        for move in range(1, MOVES + 1):
            with bench.timed("Slider move"):
                handle.press("ArrowRight")
                page.wait_for_function(
                    "text => location.search.includes(text)", arg=f"v={1 + 0.05 * move:g}&"
                )
                page.wait_for_function(IS_STILL)


def candidate(bench: Bench) -> None:
    """A candidate by direct link until its picture is drawn, and until the whole page is."""
    for kind in ("first", "again"):
        for id in bench.ids or some_ids(bench.repeats):
            names = (f"Candidate {kind}, 3D picture drawn", f"Candidate {kind}, all drawn")
            with bench.page() as page, bench.timed(*names) as done:
                page.goto(f"{bench.server.url}/candidate?id={id}", wait_until="commit")
                page.wait_for_function(PICTURES_ARE_DRAWN, arg=1)
                done()
                page.wait_for_function(IS_STILL)


def compare(bench: Bench) -> None:
    """Three candidates put beside one, each by its name, until all pictures are drawn; nothing shown before."""
    with open_reader() as reader:
        shown, *others = list(examples(reader, 40))[-4:]
    for kind in ("first", *["again"] * max(1, bench.repeats // 2)):
        with bench.page() as page:
            page.goto(f"{bench.server.url}/candidate?id={shown}", wait_until="commit")
            page.wait_for_function(IS_STILL)
            page.wait_for_function(ALL_PICTURES_ARE_DRAWN, arg=1)
            before = page.locator(".structure-viewer[data-ready=true]").count()
            box = page.get_by_role("combobox", name="Put up to 3 other candidates")
            box.scroll_into_view_if_needed()
            for position, id in enumerate(others, start=1):
                box.fill(id)
                page.get_by_role("option", name=id).first.wait_for()
                with bench.timed(f"Compare {kind}, one more candidate drawn"):
                    box.press("Enter")
                    page.wait_for_function(ALL_PICTURES_ARE_DRAWN, arg=before + position + 1)
                page.wait_for_function(IS_STILL)


def predict(bench: Bench) -> None:
    """A CIF of a compound that the release holds, uploaded on the Predict page, until its voltage is shown."""
    with open_reader() as reader, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "MgMn2O4.cif"
        path.write_text(reader.crystal("mp-32006").to_cif(), encoding="utf-8")
        for kind in ("first", *["again"] * max(1, bench.repeats // 2)):
            with bench.page() as page:
                page.goto(f"{bench.server.url}/predict", wait_until="commit")
                page.locator("input[type=file]").wait_for(state="attached")
                page.wait_for_function(IS_STILL)
                names = (f"Known CIF {kind}, voltage shown", f"Known CIF {kind}, all drawn")
                with bench.timed(*names) as done:
                    page.locator("input[type=file]").set_input_files(path)
                    page.get_by_test_id("stMetricValue").first.wait_for()
                    done()
                    page.wait_for_function(PICTURES_ARE_DRAWN, arg=1)
                    page.wait_for_function(IS_STILL)


def some_ids(count: int) -> list[str]:
    """Ids spread evenly over the candidates that are not large, from the lowest to the highest."""
    with open_reader() as reader:
        table = reader.screen(columns=("id", "n_sites"))
    ids = table.loc[table["n_sites"] <= MAX_SITES, "id"].tolist()
    return [ids[(2 * place + 1) * len(ids) // (2 * count)] for place in range(count)]


PARTS: dict[str, Callable[[Bench], None]] = {
    "screen": screen, "slider": slider, "candidate": candidate, "compare": compare, "predict": predict,
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument(
        "--ids", nargs="+", default=(), help="candidates to open, in place of some spread evenly"
    )
    parser.add_argument("--browser", default=os.environ.get("CHROMIUM") or shutil.which("chromium"))
    options = parser.parse_args()
    print(machine_words("streamlit", "plotly", "duckdb", "pandas", "playwright"))
    with running_server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser, args=FLAGS)
        print(f"chromium {browser.version}; server answers after {server.start_s:.1f} s", flush=True)
        bench = Bench(server, browser, options.repeats, options.ids)
        with bench.page() as page:  # this page waits for what the server loads in the background
            page.goto(f"{server.url}/predict")
            page.locator("input[type=file]").wait_for(state="attached")
        server.wait_until_idle()
        try:
            for name in options.only:
                PARTS[name](bench)
        finally:
            bench.report()
        print(f"server: {server.memory_mb():,.0f} MB; load now {os.getloadavg()[0]:.1f}")
        browser.close()


if __name__ == "__main__":
    main()
