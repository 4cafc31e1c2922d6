"""The Distribution page: its counts are the release's, and the paper's stand beside them."""

import json
import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from core.service.screen import Thresholds, funnel
from core.store import open_reader

Opener = Callable[..., AppTest]


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_histograms_hold_every_predicted_compound(open_page: Opener, release_folder) -> None:
    app = open_page("distribution")
    assert not app.exception and not app.error
    with open_reader(release_folder) as reader:
        bins = reader.voltage_histogram(0.25)
    captions = " ".join(caption.value for caption in app.caption)
    gnome = bins[bins["source"].str.startswith("GNoME")]["n"].sum()
    assert f"{gnome:,} compounds" in captions and f"{bins['n'].sum() - gnome:,} compounds" in captions
    named = [figure for figure in figures(app) if figure["layout"].get("barmode") == "stack"]
    assert len(named) == 2
    for figure in named:
        assert figure["layout"]["xaxis"]["title"]["text"] == "Predicted voltage vs Mg (V)"
        assert figure["layout"]["yaxis"]["title"]["text"] == "Compounds"
        assert figure["layout"]["shapes"][0]["x0"] == 3.0


def test_bin_width_can_be_chosen(open_page: Opener) -> None:
    app = open_page("distribution")
    wide = figures(app)[0]["data"][0]["width"]
    app.get("button_group")[0].set_value(0.1).run()
    assert (wide, figures(app)[0]["data"][0]["width"]) == (0.25, 0.1)


def test_funnel_stands_beside_the_papers(open_page: Opener, release_folder) -> None:
    table = next(
        element.proto.body
        for element in open_page("distribution").get("html")
        if "The paper" in element.proto.body
    )
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
    assert [papers for *_, papers in cells] == ["15,308", "–", "160", "–", "23"]
    with open_reader(release_folder) as reader:
        frame = reader.screen()
    for column, definition in ((1, "cathode"), (2, "paper")):
        ours = [int(row[column].replace(",", "")) for row in cells[:3]]
        counts = funnel(frame, Thresholds(definition=definition))
        assert ours == [counts.all, counts.voltage, counts.capacity]


def test_the_default_view_of_screen_is_named_with_its_count(open_page: Opener, release_folder) -> None:
    with open_reader(release_folder) as reader:
        kept = funnel(reader.screen(), Thresholds(sigma_ms_per_cm=None)).verdict
    captions = [caption.value for caption in open_page("distribution").caption]
    assert any(f"nothing is known against {kept:,}" in caption for caption in captions)


def test_what_was_left_out_is_counted(open_page: Opener, release_folder) -> None:
    table = open_page("distribution").dataframe[0].value
    with open_reader(release_folder) as reader:
        assert table["n_inputs"].sum() == reader.release.counts["skipped"] > 0
