"""`reseed inspect` and `reseed report`: reading a study that is already there."""

import json

import pyarrow.parquet as pq
import pytest


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("options", [(), ("--json",), ("--top", "50"), ("--sample", "21")])
def test_inspect_writes_nothing(cli, measured, options):
    """Whatever is asked, no file of the study changes and none is added."""
    before = _files(measured)
    assert cli("inspect", measured, *options).status == 0
    assert _files(measured) == before


def test_json_is_the_summary(cli, measured):
    """--json prints what summary.json holds."""
    assert json.loads(cli("inspect", measured, "--json").out) == json.loads((measured / "summary.json").read_text())


def test_top_is_the_number_of_samples_shown(cli, measured):
    """--top says how many of the most unstable samples are printed, none included."""
    table = pq.read_table(measured / "samples.parquet").sort_by([("label_entropy", "descending")])
    worst = table["sample_id"][0].as_py()
    none, one = cli("inspect", measured, "--top", 0).out, cli("inspect", measured, "--top", 1).out
    last = one.partition("Most unstable samples")[2]
    assert f" {worst} " in last
    assert len(last.splitlines()) - 1 == len(none.partition("Most unstable samples")[2].splitlines())


def test_sample_prints_its_row(cli, measured):
    """--sample prints everything in the sample's row, with the answers by name."""
    row = pq.read_table(measured / "samples.parquet").slice(5, 1).to_pylist()[0]
    found = json.loads(cli("inspect", measured, "--sample", row["sample_id"]).out)
    assert found["label_entropy"] == row["label_entropy"]
    assert [(item["name"], item["count"]) for item in found["answers"]] == [
        (str(item["label"]), item["count"]) for item in row["answers"]
    ]


def test_report_writes_elsewhere(cli, measured, tmp_path):
    """--out takes the three results to another folder, and prints where the page is."""
    before = _files(measured)
    ended = cli("report", measured, "--out", tmp_path / "page")
    assert ended.out == f"{tmp_path / 'page' / 'report.html'}\n"
    assert sorted(path.name for path in (tmp_path / "page").iterdir()) == [
        "report.html",
        "samples.parquet",
        "summary.json",
    ]
    assert _files(measured) == before


def test_report_restores_what_was_deleted(cli, labels, tmp_path):
    """Without --out, the results in the study's folder are written anew."""
    out = tmp_path / "study"
    cli("import", labels, "--out", out)
    for name in ("summary.json", "samples.parquet", "report.html"):
        (out / name).unlink()
    assert cli("report", out).status == 0
    assert json.loads((out / "summary.json").read_text())["samples"] == 6
    assert {"samples.parquet", "report.html"} <= {path.name for path in out.iterdir()}


def test_by_groups_prints_groups_and_the_test(cli, measured):
    """--by prints a row a group and what the test says; --json prints the same numbers."""
    ended = cli("inspect", measured, "--by", "class", "--top", 3)
    assert ended.status == 0
    assert "Where instability lives: by class" in ended.out
    assert "permutations" in ended.out
    found = json.loads(cli("inspect", measured, "--by", "class", "--json").out)
    assert len(found["groups"]) == 10
    assert 0 <= found["variance_share"] <= 1


def test_codes_of_metadata_are_told_apart(cli, measured, tmp_path):
    """A code with a zero in front is not the one without."""
    ids = pq.read_table(measured / "samples.parquet")["sample_id"].to_pylist()
    file = tmp_path / "metadata.csv"
    file.write_text("id;zip\n" + "".join(f"{name};{('01', '1')[place % 2]}\n" for place, name in enumerate(ids)))
    ended = cli("inspect", measured, "--by", "zip", "--metadata", file, "--json")
    found = json.loads(ended.out)
    assert {group["group"]: group["samples"] for group in found["groups"]} == {"01": 180, "1": 180}
    assert found["notes"][0] == "metadata.csv: Its cells are separated by semicolons."


def test_by_a_column_of_metadata(cli, measured, tmp_path):
    """--metadata joins the user's own columns by sample id, and --id names the column of ids."""
    ids = pq.read_table(measured / "samples.parquet")["sample_id"].to_pylist()
    file = tmp_path / "metadata.csv"
    file.write_text("key,half\n" + "".join(f"{name},{'ab'[index % 2]}\n" for index, name in enumerate(ids)))
    ended = cli("inspect", measured, "--by", "half", "--metadata", file, "--id", "key", "--json")
    assert {row["group"] for row in json.loads(ended.out)["groups"]} == {"a", "b"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--metadata", "x.csv"), "--metadata and --id say what to group by; name the column with --by."),
        (("--by", "class", "--sample", "1"), "--by and --sample ask for different things; pass one of them."),
        (("--by", "colour"), "--by colour is unknown. Did you mean 'cluster'? Choose class, "),
    ],
)
def test_by_mistakes(cli, measured, options, text):
    """What --by cannot do ends with status 2 and a reason."""
    ended = cli("inspect", measured, *options)
    assert ended.status == 2
    assert text in ended.err
