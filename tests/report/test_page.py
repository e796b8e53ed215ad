"""The page as text: what it says, what it leaves out, that it is complete and within its size."""

import base64
import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from reseed.report import ReportData, _charts, _samples, render

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class _Page(HTMLParser):
    """Collects the visible words, the attributes and the scripts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.parts: list[str] = []
        self._inside = ""
        self.feed(html)
        self.text = " ".join(" ".join(self.parts).replace("\u00a0", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id") or f"{tag}-{len(self.scripts)}"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[self._inside] = self.scripts.get(self._inside, "") + data
        else:
            self.parts.append(data)

    def json(self, name: str) -> dict:
        """One of the page's data blocks."""
        return json.loads(self.scripts[name])


def page(data: ReportData) -> _Page:
    """Render and parse."""
    return _Page(render(data))


def summary(data: ReportData, **changes: object) -> dict[str, object]:
    """A report's summary with some values replaced."""
    return {**data.summary, **changes}


# ---------------------------------------------------------------- what the page says


def test_lead_counts_the_answers_that_depend_on_the_seed(make_report):
    """The first sentence says how many answers changed, with their share."""
    data = make_report(samples=120)
    changed = int(data.unstable.sum())
    assert f"Of 120 answers, {changed} ({100 * changed / 120:.1f} %) depend on the seed." in page(data).text


def test_every_headline_number_has_an_interval(make_report):
    """Unstable share, jitter, label entropy and accuracy each come with their 95 % interval and its method."""
    text = page(make_report()).text.partition("In numbers")[2].partition("The picture")[0]
    assert text.count("95 % interval") == 4
    assert "(jackknife over runs)" in text


def test_jitter_is_said_in_answers(make_report):
    """The reader learns on how many answers two retrainings disagree."""
    data = make_report(samples=100)
    data = dataclasses.replace(data, summary=summary(data, jitter=0.021))
    assert "Two retrainings disagree on 2.1 % of the answers, about 2 of 100." in page(data).text


def test_zero_flips_is_not_called_stable(make_report):
    """With no flip at all the page says so and points to the upper bound of the flip probability."""
    text = page(make_report(unstable=0.0, runs=20)).text
    assert "None of the 120 answers changed in 20 runs." in text
    assert "That is not proof of stability" in text
    assert "Zero flips in 20 runs does not mean stable" in text
    assert "13.9 %" in text
    assert "No sample has a label entropy above 0." in text
    assert "No two labels were given to the same sample." in text


def test_bound_is_worked_out_when_absent(make_report):
    """Without a given upper bound the page uses 1 - 0.05^(1/R)."""
    data = make_report(runs=10)
    data = dataclasses.replace(data, summary=summary(data, flip_upper_bound=None))
    assert "\u2264 25.9 %" in page(data).text


def test_two_runs(make_report):
    """Two runs have a jitter, but the page says that its interval needs three."""
    parsed = page(make_report(runs=2))
    assert "Two retrainings disagree on" in parsed.text
    assert "no interval from fewer than three runs" in parsed.text


def test_one_run(make_report):
    """One run cannot show instability, and the page says what to do instead of a number."""
    parsed = page(make_report(runs=1, unstable=0.0))
    assert "One run cannot show which answers depend on the seed." in parsed.text
    assert "needs two runs" in parsed.text


def test_no_samples(make_report):
    """A study without samples makes a page, not an error."""
    data = make_report(samples=3)
    columns = {
        name: getattr(data, name)[:0]
        for name in (
            "targets",
            "label_entropy",
            "mode_label",
            "mode_share",
            "jitter",
            "confidence_mean",
            "confidence_std",
        )
    }
    empty = dataclasses.replace(data, sample_ids=(), answers=(), texts=None, **columns)
    assert "There are no answers to compare." in page(empty).text


def test_one_unstable_sample_in_one_class(make_report):
    """A single unstable sample is spoken of in the singular and tops the table."""
    data = make_report(samples=40, unstable=0.0)
    answers = (*data.answers[:7], ((1, 19), (2, 1)), *data.answers[8:])
    entropy = data.label_entropy.copy()
    entropy[7] = 0.1985
    data = dataclasses.replace(data, answers=answers, label_entropy=entropy, pairs=((1, 2, 1.0, 1),))
    parsed = page(data)
    assert "Of 40 answers, 1 (2.5 %) depends on the seed." in parsed.text
    assert "This sample got at least two different labels." in parsed.text
    assert parsed.json("samples-data")["ids"][0] == "test-00007"


def test_undefined_values_are_dashes_with_reasons(make_report):
    """None and NaN never print as such: a dash stands there, and the reason beside it."""
    data = make_report(samples=30)
    nothing = np.full(30, np.nan)
    data = dataclasses.replace(
        data,
        summary=summary(data, label_entropy_mean=float("nan"), jitter=None, accuracy_ci95=[None, 1.0]),
        label_entropy=nothing,
        jitter=nothing,
        mode_share=nothing,
        mode_label=np.full(30, -1),
        classes=((0, 30, None, float("nan")),),
        provenance={"hardware": {"device": None, "threads": float("nan")}},
    )
    html = render(data)
    words = _Page(re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)).text
    assert "undefined for these runs" in words
    assert "needs two runs" in words
    assert "not recorded" in words
    assert not re.search(r"\b(nan|None|NaN|null)\b", words.replace("None of the", ""))


def test_missing_targets(make_report):
    """Without gold labels accuracy is a dash with that reason, and the table drops the columns about gold."""
    data = make_report()
    data = dataclasses.replace(
        data,
        targets=np.full(120, -1),
        summary=summary(data, accuracy_mean=None, accuracy_std=None, accuracy_ci95=None),
    )
    parsed = page(data)
    assert "no gold labels" in parsed.text
    assert "Gold label" not in parsed.text.partition("Samples Least stable")[2].partition("Runs")[0]
    assert "gold" not in [column["key"] for column in parsed.json("samples-data")["columns"]]


def test_some_targets_missing(make_report):
    """A sample without gold label shows a dash that says so; the others keep theirs."""
    data = make_report()
    targets = data.targets.copy()
    targets[data.order[0]] = -1
    parsed = page(dataclasses.replace(data, targets=targets))
    assert "gold label unknown" in parsed.text
    assert "\u2713 right" in parsed.text


def test_a_tie_is_neither_right_nor_wrong(make_report):
    """Where two labels lead with the same number of runs there is no top answer, whatever is the gold label."""
    data = make_report()
    sample, answer = data.order[0], ((0, 2), (2, 2), (1, 1))
    answers = [*data.answers]
    answers[sample] = answer
    for gold in (0, 1, 2):
        targets, modes = data.targets.copy(), data.mode_label.copy()
        targets[sample], modes[sample] = gold, 0
        rendered = render(dataclasses.replace(data, targets=targets, mode_label=modes, answers=tuple(answers)))
        row = rendered[rendered.index("<tbody>", rendered.index('id="samples-table"')) :].partition("</tr>")[0]
        assert "= tie" in row
        assert "\u2713 right" not in row
        assert "\u2717 wrong" not in row


def test_missing_confidence(make_report):
    """Without confidences the data map says why it is missing."""
    parsed = page(make_report(confidence_mean=np.full(120, np.nan), confidence_std=np.full(120, np.nan)))
    assert "The data map needs the confidence of the runs" in parsed.text
    assert 'class="dots"' not in render(make_report(confidence_mean=np.full(120, np.nan)))


def test_no_texts(make_report):
    """Samples without texts are shown by their ids."""
    parsed = page(make_report(texts=False))
    assert parsed.json("samples-data")["texts"] is None
    assert "test-00000" in parsed.text


def test_answers_are_bars_and_words(make_report):
    """A sample's answers are written out beside their bar."""
    data = make_report(samples=1, answers=(((0, 31), (1, 19), (2, 0)),))
    parsed = page(data)
    assert "transfer \u00d731 \u00b7 balance \u00d719" in parsed.text
    assert "pay bill \u00d70" not in parsed.text
    grown = [attrs["style"] for tag, attrs in parsed.tags if tag == "span" and attrs.get("style")]
    assert grown[-2:] == ["flex-grow:31", "flex-grow:19"]


def test_labels_without_a_name(make_report):
    """A label beyond the class names is shown by its number."""
    assert "class 77 \u00d720" in page(make_report(samples=1, answers=(((77, 20),),))).text


def test_notes_recipe_and_provenance_are_shown(make_report):
    """Warnings, the recipe, seeds, versions and hardware are on the page; without any it says so."""
    text = page(make_report(notes=("2 runs diverged: seeds 4, 11.",))).text
    for words in ("2 runs diverged", 'name = "adam"', "init, order", "processor abacus", "torch 2.6"):
        assert words in text
    bare = page(make_report(recipe_toml=None, provenance={})).text
    assert "No recipe, seeds or versions were recorded." in bare
    assert "Before you read on" not in bare


def test_cost_is_a_table(make_report):
    """The page shows what the runs cost, in total and each, with the number of runs and a link to it."""
    parsed = page(make_report(runs=20))
    for words in (
        "Training steps 90,000 4,500 ",
        "Wall time 4.17 min 12.5 s (11.2 s to 3.17 min)",
        "Peak memory of the process 505 MB 500 MB (490 MB to 505 MB)",
        "20 finished runs, each trained by itself.",
    ):
        assert words in parsed.text
    assert ("a", {"href": "#cost"}) in parsed.tags
    assert "Peak memory on the device" not in parsed.text


def test_without_cost_there_is_no_section(make_report):
    """Where no cost is known the page has neither a table of zeros nor a link to one."""
    data = make_report()
    known = {name: value for name, value in data.summary.items() if not name.startswith("cost_")}
    parsed = page(dataclasses.replace(data, summary=known))
    assert "What it cost" not in parsed.text
    assert ("a", {"href": "#cost"}) not in parsed.tags


def test_diverged_and_missing_runs_are_in_the_header(make_report):
    """Runs that diverged or are missing are counted next to those compared."""
    data = make_report()
    data = dataclasses.replace(data, summary=summary(data, runs_diverged=2, runs_missing=1))
    text = page(data).text
    assert "2 runs diverged" in text
    assert "1 run missing" in text


def test_least_stable_sample_comes_first(make_report):
    """Rows are ordered by falling label entropy, undefined ones last."""
    data = make_report()
    entropy = data.label_entropy.copy()
    entropy[3] = np.nan
    values = page(dataclasses.replace(data, label_entropy=entropy)).json("samples-data")["entropy"]
    assert values[-1] is None
    assert values[:-1] == sorted(values[:-1], reverse=True)


# ---------------------------------------------------------------- charts


def test_charts_have_text_alternatives(make_report):
    """Every chart has a label for screen readers and a caption."""
    parsed = page(make_report())
    drawings = [attrs for tag, attrs in parsed.tags if tag == "svg" and "aria-hidden" not in attrs]
    assert len(drawings) == sum(tag == "figure" for tag, _ in parsed.tags) == 4
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in drawings)
    assert sum(tag == "figcaption" for tag, _ in parsed.tags) == 4


def test_histogram_states_the_zeros(make_report):
    """The bars add up to the unstable samples; the samples at zero are counted in the caption."""
    data = make_report()
    chart = _charts.histogram(data)
    counts = [int(count) for count in re.findall(r"<title>[^<]*: (\d+)</title>", chart)]
    assert sum(counts) == data.unstable.sum()
    assert f"{(~data.unstable).sum()} of 120 samples have label entropy 0" in chart


def test_data_map_thins_out_but_keeps_the_unstable(make_report):
    """With many samples the map draws a stated number of them, with the most unstable among them."""
    data = make_report(samples=5_000, unstable=0.2)
    rows = data.order.tolist()
    chart = _charts.data_map(data, rows)
    drawn = {rows[int(row)] for row in re.findall(r'data-row="(\d+)"', chart)}
    assert len(drawn) == 3_000
    assert set(np.flatnonzero(data.unstable)) <= drawn
    assert "3,000 of 5,000 samples are drawn" in chart


def test_dots_beyond_the_table_lead_nowhere(make_report):
    """A sample that the table does not hold is drawn without a row that a click would open."""
    chart = _charts.data_map(make_report(samples=20), (3, 5))
    assert chart.count("<circle") == 20
    assert sorted(re.findall(r'data-row="(\d+)"', chart)) == ["0", "1"]


def test_flips_are_counted_from_the_top_answer(make_report):
    """A cell holds the answers of single runs that differ from the sample's most frequent one."""
    answers = (((0, 15), (1, 5)), ((0, 12), (1, 6), (2, 2)), ((1, 20),), ((2, 11), (0, 9)))
    chart = _charts.flips(make_report(samples=4, answers=answers))
    cells = re.findall(r'data-place="([^"]*)"><title>([^<]*)</title>', chart)
    assert cells == [
        ("#samples?answer=0&amp;other=1", "transfer, balance: 11"),
        ("#samples?answer=0&amp;other=2", "transfer, pay bill: 2"),
        ("#samples?answer=0&amp;other=2", "pay bill, transfer: 9"),
    ]
    assert "Most often balance comes for transfer: 11 answers." in chart


# ---------------------------------------------------------------- one file, offline, of bounded size


def test_page_refers_to_nothing_outside(make_report):
    """No address of elsewhere occurs, and no tag loads anything."""
    html = render(make_report())
    assert "http:" not in html
    assert "https:" not in html
    assert "//" not in re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)
    for tag, attrs in _Page(html).tags:
        assert tag not in ("iframe", "object", "embed", "base")
        address = attrs.get("src") or (attrs.get("href") if tag != "a" else None)
        assert address is None or address.startswith("data:")


def test_policy_names_the_hash_of_the_only_script(make_report):
    """The content security policy forbids everything but the one script, inline styles and embedded images."""
    parsed = page(make_report())
    policy = next(attrs["content"] for _, attrs in parsed.tags if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("sha256-") == 1
    assert "unsafe" not in policy.split("style-src")[0]
    assert "img-src data:" in policy


def test_the_page_itself_is_small(make_report):
    """What every page holds, without samples, is less than 100 kB."""
    assert len(render(make_report(samples=1)).encode()) < 100_000


@pytest.mark.parametrize("length", [30, 5_000])
def test_ten_thousand_samples_stay_under_ten_megabytes(make_report, length):
    """10,000 samples with texts, short or very long, images and all make a page of less than 10 MB."""
    texts = tuple(f"sample {index} \u2028<&> \u00e4\u20ac ".ljust(length, "x") for index in range(10_000))
    image = PNG + bytes(20_000)
    data = make_report(samples=10_000)
    html = render(dataclasses.replace(data, texts=texts, images=(image,) * 10_000))
    assert len(html.encode()) < 10_000_000
    assert ("Texts are cut after" in html) == (length > 1_000)


def test_images_are_capped_and_the_page_says_so(make_report):
    """Only the least stable samples bring their image, and each image is in the page once."""
    data = make_report(samples=400, texts=False, images=(PNG,) * 400)
    html = render(data)
    assert html.count(base64.b64encode(PNG).decode()) == 300
    assert "Images are included for the 300 least stable samples only." in html


def test_table_is_capped_and_the_page_says_so(make_report):
    """Beyond 10,000 samples the table holds the least stable ones; the counts still cover all."""
    data = make_report(samples=10_050, runs=3, texts=False)
    parsed = page(data)
    assert len(parsed.json("samples-data")["ids"]) == 10_000
    assert "The table holds the 10,000 least stable of 10,050 samples." in parsed.text
    assert "Of 10,050 answers" in parsed.text


def test_static_rows_are_the_hundred_least_stable(make_report):
    """Without scripts the table has 100 rows, and the page says of how many."""
    parsed = page(make_report(samples=150))
    body = render(make_report(samples=150)).split('id="samples-table"')[1].split("</table>")[0]
    assert body.count("<tr>") == 101
    assert "Without scripts the table shows the 100 least stable samples of 150." in parsed.text


def test_rendering_is_deterministic(make_report):
    """The same data make the same page, byte for byte."""
    assert render(make_report()) == render(make_report())


# ---------------------------------------------------------------- very many classes and answers


def test_a_page_holds_the_classes_that_its_rows_name(make_report):
    """Of 200,000 classes only those that a row names are on the page, and the rows' labels are those of the study."""
    names = tuple(f"class number {label}" for label in range(200_000))
    data = make_report(samples=20, class_names=names)
    data = dataclasses.replace(data, targets=data.targets + 199_000, classes=(), pairs=())
    held = page(data).json("samples-data")
    assert len(held["classes"]) < 50
    for row, sample in enumerate(data.order.tolist()):
        assert held["classes"][held["targets"][row]] == names[data.targets[sample]]
        assert held["classes"][held["modes"][row]] == names[data.mode_label[sample]]
        shown = [held["classes"][label] for label in held["answers"][row][::2]]
        assert shown == [names[label] for label, _ in data.answers[sample]]


def test_a_label_without_a_name_is_its_number(make_report):
    """A label beyond the names is called by its number, and an unknown target stays unknown."""
    data = make_report(samples=4, runs=2, unstable=0.0)
    data = dataclasses.replace(data, targets=np.array([-1, 0, 99, 1]))
    held = page(data).json("samples-data")
    at = data.order.tolist()
    assert held["targets"][at.index(0)] == -1
    assert held["classes"][held["targets"][at.index(2)]] == "class 99"


def test_rows_are_fewer_where_answers_are_very_many(make_report, monkeypatch):
    """The answers of all rows together are bounded; the page says how many samples it holds."""
    monkeypatch.setattr(_samples, "_ANSWERS", 40)
    parsed = page(make_report(samples=120))
    held = parsed.json("samples-data")
    assert sum(map(len, held["answers"])) <= 80
    assert f"The table holds the {len(held['ids'])} least stable of 120 samples." in parsed.text


def test_bars_have_few_parts(make_report):
    """A bar of thirty labels has twelve parts, of which the last stands for the rest; the words count them all."""
    answers = tuple(tuple((label, 1) for label in range(30)) for _ in range(3))
    data = dataclasses.replace(make_report(samples=3, runs=30, class_names=tuple(map(str, range(30)))), answers=answers)
    rows = render(data).partition('id="samples-table"')[2].partition("</table>")[0]
    assert rows.count('<span class="part ') == 36
    assert rows.count("flex-grow:19") == 3
    assert "24 more" in rows
