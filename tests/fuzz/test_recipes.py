"""Recipes in TOML that nobody meant: refused in words, or taken for what they say."""

from hypothesis import given, note
from tests.fuzz.driver import fuzzed, run, scratch
from tests.fuzz.mutations import bytes_of, randoms, toml_of
from tests.fuzz.small import RECIPE


@fuzzed
@given(randoms)
def test_recipes_do_no_harm(random):
    """A recipe with other names and values than it should have is printed as it is understood, or refused."""
    text = toml_of(RECIPE, random).encode("utf-8", "surrogatepass")
    _print(bytes_of(text, random) if random.random() < 0.3 else text)


def _print(content: bytes) -> None:
    note(repr(content))
    with scratch() as folder:
        path = folder / "recipe.toml"
        path.write_bytes(content)
        printed = run("measure", "digits", "--model", "mlp", "--recipe", path, "--print-config", inside=folder)
        if printed.status == 0:  # what is printed is a recipe, and the same one
            path.write_text(printed.printed)
            again = run("measure", "digits", "--model", "mlp", "--recipe", path, "--print-config", inside=folder)
            assert again == printed
