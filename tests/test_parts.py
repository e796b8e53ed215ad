"""Parts of a result that may fail alone."""

import pytest

import reseed
from reseed import StudyError
from reseed._parts import Parts, PartWarning


def raises(error: BaseException) -> None:
    """What raises an error."""
    raise error


def test_what_is_refused_is_noted():
    """An error in reseed's own words leaves the part out, and the note has these words; nothing warns."""
    parts = Parts()
    found = parts.make("The map is missing", lambda: raises(reseed.InputError("there are no scores.")), "instead")
    assert found == "instead"
    assert parts.notes == ["The map is missing: there are no scores."]


@pytest.mark.parametrize("error", [ValueError("shape (6, 1)"), MemoryError("shape (6, 1)"), OSError("shape (6, 1)")])
def test_what_nobody_foresaw_warns(error, monkeypatch):
    """Any other error leaves the part out as well, and is seen: a warning has its type and words."""
    monkeypatch.delenv("RESEED_TRACEBACK", raising=False)
    parts = Parts()
    note = f"The map is missing, because making it failed ({type(error).__name__}: shape (6, 1))."
    with pytest.warns(PartWarning) as warned:
        assert parts.make("The map is missing", lambda: raises(error), None) is None
    assert parts.notes == [note]
    assert str(warned[0].message) == f"{note} Please report it; RESEED_TRACEBACK=1 shows where."


def test_the_traceback_is_shown_on_demand(monkeypatch):
    """With RESEED_TRACEBACK set the warning holds the traceback."""
    monkeypatch.setenv("RESEED_TRACEBACK", "1")
    with pytest.warns(PartWarning, match=r'test_parts.py", line \d+, in raises'):
        Parts().make("The map is missing", lambda: raises(KeyError("label")), None)


def test_errors_fail_tests():
    """Where warnings are errors, as in these tests, what nobody foresaw is an error that names its cause."""
    with pytest.raises(PartWarning) as raised:
        Parts().make("The map is missing", lambda: raises(KeyError("label")), None)
    assert isinstance(raised.value.__context__, KeyError)


@pytest.mark.parametrize("error", [StudyError("it is corrupt."), KeyboardInterrupt(), SystemExit(3)])
def test_some_errors_go_on(error):
    """A corrupt study, Ctrl-C and an exit are no failures of a part."""
    with pytest.raises(type(error)):
        Parts().make("The map is missing", lambda: raises(error), None)


def test_notes_are_short_and_stand_once():
    """What an error says is cut to one line, and a note is not repeated."""
    parts = Parts()
    for _ in range(2):
        with pytest.warns(PartWarning):
            parts.make("The map is missing", lambda: raises(ValueError("word\n" * 500)), None)
    parts.add("There is no map.", "There is no map.")
    (note, other) = parts.notes
    assert len(note) < 400
    assert "\n" not in note
    assert note.endswith("…).")
    assert other == "There is no map."
