"""CSV and TSV files: where quotes enclose cells, what stands between them, and how large they may be."""

import gzip
import re

import pytest

import reseed
from reseed._errors import DataError
from reseed.data import DataConfig, load, read_table, table_notes
from reseed.data._layout import laid_out

AS_WRITTEN = "Quotes are read as they are written (the first that begins a cell is in line {})"


@pytest.fixture
def read(tmp_path):
    """Reads a file of this content as text throughout, and gives its rows as tuples."""

    def read(content, name="data.tsv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        table = read_table(path, None)
        return [tuple(row.values()) for row in table.to_pylist()], table_notes(table)

    return read


def reviews(marked):
    """Sixty rows of a TSV file, some with another text."""
    rows = [marked.get(row, f"w{row % 7} thing{row % 3} more{row}") for row in range(60)]
    return rows, "sentence\tlabel\n" + "".join(f"{text}\t{('neg', 'pos')[row % 2]}\n" for row, text in enumerate(rows))


@pytest.mark.parametrize(
    "marked",
    [
        {10: '"so slow , she said', 30: '"what a film'},
        {10: '"so slow , she said', 30: 'what a film"'},
        {10: '"so slow , she said'},
        {10: '"so slow" , she said'},
        {10: '"so slow"'},
        {10: '"so slow, she said"', 11: "slow, she said"},
        {10: '""so slow"", she said'},
        {10: '"', 30: '"'},
    ],
)
def test_stray_quotes_in_tsv_are_characters(read, write, marked):
    """No quote swallows a row or is dropped: sixty rows, each with the text that is written, and a note."""
    texts, content = reviews(marked)
    rows, notes = read(content)
    assert [text for text, _ in rows] == texts
    assert notes == (f"data.tsv: {AS_WRITTEN.format(12)}, since the file does not use them around cells throughout.",)
    splits = load(DataConfig(write("data.tsv", content)))
    assert len(splits.train) + len(splits.evaluation) == 60
    assert splits.notes == notes


def test_quotes_inside_cells_are_no_matter(read):
    """A quote that does not begin a cell is part of the text, without a note, in either format."""
    assert read('text\tlabel\n5" pipe\ta\nsay "hi"\tb\n') == ([('5" pipe', "a"), ('say "hi"', "b")], ())
    assert read('text,label\n5" pipe,a\nsay "hi",b\n', "data.csv") == ([('5" pipe', "a"), ('say "hi"', "b")], ())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('"text"\t"label"\n"a"\t"x"\n"b ""c"""\t"y"\n', [("a", "x"), ('b "c"', "y")]),
        ('text\tn\n"a"\t1\n"b"\t2\n', [("a", "1"), ("b", "2")]),
        ('text\tlabel\n"say ""hi"""\tx\nb\ty\n', [('say "hi"', "x"), ("b", "y")]),
        ('text\tlabel\n"a, b"\tx\nc\ty\n', [("a, b", "x"), ("c", "y")]),
        ('text\tlabel\n"a\tb"\tx\nc\ty\n', [("a\tb", "x"), ("c", "y")]),
        ('text\tlabel\n"two\nlines"\tx\nc\ty\n', [("two\nlines", "x"), ("c", "y")]),
        ('text\tlabel\n""\tx\n"c"\ty\n', [("", "x"), ("c", "y")]),
    ],
)
def test_tsv_that_is_consistent_in_quoting_is_quoted(read, content, expected):
    """Quotes around every cell of a column, or around just those that need it, are taken off."""
    assert read(content) == (expected, ())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "data.tsv",
            '"text"\t"label"\n"a"\t"x"\n"b\t"y"\n',
            "the header is enclosed in quotes, but the quote that begins a cell in line 3 does not enclose it; double",
        ),
        ("data.tsv", 'text\tlabel\n"a\tx\nb\n', "data.tsv cannot be read as tsv: CSV parse error: Row #3: Expected 2"),
        (
            "data.tsv",
            'text\tlabel\n"p\tq"\tx\n"b\tx\nc\ty\nd"\tx\n',
            "a cell of row 1 (from 0) is enclosed in quotes that hold whole lines of the file",
        ),
        (
            "data.csv",
            'text,label\n"a",x\n"b" c,y\n',
            "data.csv: the quote that begins a cell in line 3 does not enclose it; double the quotes in its text and",
        ),
        ("data.csv", 'text,label\n"a, b,x\nc,y\n', "the quote that begins a cell in line 2 does not enclose it"),
        (
            "data.csv",
            'text,label\na,x\n"so slow,x\nb,y\nwhat a film",y\nc,x\n',
            "data.csv: a quote that begins a cell in line 3 ends in a later line, but each line is a row by itself.",
        ),
    ],
)
def test_quotes_that_swallow_rows_are_refused(read, name, content, message):
    """What would be one row of several is refused, with the line and what to do."""
    with pytest.raises(DataError, match=re.escape(message)):
        read(content, name)


def test_stray_quotes_in_csv_are_characters_where_lines_are_rows(read):
    """Without any cell in quotes, quotes are read as they are written, and a note says so."""
    rows, notes = read('text,label\n"a,x\nb,y\n"c" d,x\n', "data.csv")
    assert rows == [('"a', "x"), ("b", "y"), ('"c" d', "x")]
    assert AS_WRITTEN.format(2) in notes[0]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('text,label\n"a, b\nc, d",x\ne,y\n', [("a, b\nc, d", "x"), ("e", "y")]),
        ('text,label\n"two\nlines",x\ne,y\n', [("two\nlines", "x"), ("e", "y")]),
        ('"text","label"\n"one, two\nthree","x"\n"e","y"\n', [("one, two\nthree", "x"), ("e", "y")]),
        ('text,label\n"a" ,x\n"b",y\n', [("a ", "x"), ("b", "y")]),
        ('text,label\n"","x"\n', [("", "x")]),
        ("text,label\r\na,x\r\n\r\nb,y", [("a", "x"), ("b", "y")]),
        ("text,label\ra,x\rb,y\r", [("a", "x"), ("b", "y")]),
    ],
)
def test_csv_is_quoted_as_ever(read, content, expected):
    """Cells in quotes may hold commas, line ends and doubled quotes; lines end as they like."""
    assert read(content, "data.csv") == (expected, ())


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("data.csv", "text;label\na, b;x\nc;y\n", "data.csv: Its cells are separated by semicolons."),
        ("data.csv", "\ufefftext;label\na, b;x\nc;y\n", "data.csv: Its cells are separated by semicolons."),
        ("data.csv", "text\tlabel\na, b\tx\nc\ty\n", "data.csv: Its cells are separated by tabs."),
        ("data.csv", "text|label\na, b|x\nc|y\n", "data.csv: Its cells are separated by bars."),
        ("data.tsv", 'text,label\n"a, b",x\nc,y\n', "data.tsv: Its cells are separated by commas."),
        ("data.csv", "sep=;\r\ntext;label\r\na, b;x\r\nc;y\r\n", None),
        ("data.csv", 'sep=,\ntext,label\n"a, b",x\nc,y\n', None),
        ("data.csv", "# by eval.py\n# a, b, c\ntext;label\na, b;x\nc;y\n", "data.csv: Its cells are separated by semi"),
        (
            "data.csv",
            '# by eval.py\ntext,label\n"a, b",x\nc,y\n',
            "data.csv: Lines before the header that begin with # are left out: 1.",
        ),
        ("data.csv", 'text,label,\n"a, b",x,\nc,y,\n', "data.csv: Columns without name and values are left out: 1."),
        ("data.csv", 'text,label,,\n"a, b",x,,\nc,y,,\n', "data.csv: Columns without name and values are left out: 2."),
        ("data.csv", 'text,label,Unnamed: 2\n"a, b",x,\nc,y,\n', "data.csv: Columns without name and values are left"),
    ],
)
def test_other_layouts_are_found(read, name, content, note):
    """Delimiter and header are found where others write them elsewhere, and a note says what was taken for granted."""
    rows, notes = read(content, name)
    assert rows == [("a, b", "x"), ("c", "y")]
    assert (not notes) if note is None else notes[0].startswith(note)


@pytest.mark.parametrize(
    ("content", "start", "delimiter"),
    [
        (b"#id,text,label\n1,a,x\n", 0, ","),
        (b"# by me\n#id,text,label\n1,a,x\n", 8, ","),
        (b"a,b;c,d\n1,2;3,4\n", 0, ","),
        (b"name;weight, kg;label\na;1,5;x\n", 0, ";"),
        (b"text,label\na;b;c,x\n", 0, ","),
        (b"words\n", 0, ","),
        (b"# only\n", 0, ","),
        (b"", 0, ","),
    ],
)
def test_headers_are_not_taken_for_comments(content, start, delimiter):
    """A first line with # is a header where it has the cells of one, and commas stay what they are."""
    found = laid_out(content, ",")
    assert (found.start, found.delimiter) == (start, delimiter)


def test_columns_to_keep_as_text_are_found_regardless_of_case(tmp_path):
    """A column that is to stay text does so however its name is written; others become numbers."""
    path = tmp_path / "data.csv"
    path.write_text("ID,n\n007,1\n")
    assert read_table(path, ("id",)).to_pylist() == [{"ID": "007", "n": 1}]
    assert read_table(path, None).to_pylist() == [{"ID": "007", "n": "1"}]


def test_small_files_that_unpack_to_much_are_refused(tmp_path):
    """What comes out of a compressed file is counted, and what its cells would take."""
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + b"aaaaaaaaaa,x\n" * 100_000))
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^bomb\.csv\.gz takes 1.* MiB or more to read"):
        read_table(path, None)
    path = tmp_path / "commas.csv"
    path.write_bytes(b",".join(b"%d" % n for n in range(100)) + b"\n" + (b"," * 99 + b"\n") * 2_000)
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^commas\.csv takes 1.53 MiB or more to read"):
        read_table(path, None)
    with reseed.max_bytes(1 << 17), pytest.raises(DataError, match=r"^commas\.csv takes .* KiB or more to read"):
        read_table(path, None)
