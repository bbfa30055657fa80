"""Which modules are signals, and what is refused as one when it is loaded."""

from __future__ import annotations

import importlib
import re
from dataclasses import FrozenInstanceError
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from mypy import api

from consentcrawl import discovery
from consentcrawl.core import Gate, Spec, name_of
from consentcrawl.errors import BadSignal, ConsentError

GOOD = '''"""One sentence."""
from html import entities
from string import ascii_letters

from consentcrawl.core import HEAD, SILENT, Gate, Spec

SPEC = Spec("a", "1", "https://a.example/", (Gate.HEAD,), "nothing")
_KNOWN = ascii_letters


def needs(asset, purpose):
    return (HEAD,)


def read(evidence, asset, purpose):
    return SILENT
'''
MISSPELT = {
    "HOSTS": (GOOD + 'HOSTS = ("a.example",)\n', r"odd: HOSTS: no name of a signal"),
    "HOST": (GOOD + 'HOST: tuple[str, ...] = ("a.example",)\n', r"odd: HOST: no name"),
    "keys and MAKERS": (GOOD + "MAKERS = 0\ndef keys(asset):\n    return ()\n", r"odd: MAKERS, keys: no name"),
    "a class": (GOOD + "class Reader:\n    pass\n", r"odd: Reader: no name"),
    "need": (GOOD.replace("def needs", "def need"), r"odd: .* lacks needs"),
    "Spec": (GOOD.replace("SPEC =", "spec ="), r"odd: .* lacks SPEC"),
    "one host without a comma": (
        GOOD.replace('"nothing")', '"nothing", hosts=("a.example"))'),
        r"odd: hosts of SPEC is no tuple",
    ),
    "keys without hosts": (
        GOOD.replace('"nothing")', '"nothing", keys=list)'),
        r"odd: SPEC has keys or bulk, but no hosts",
    ),
    "a SPEC of another kind": (GOOD + 'SPEC = ("a", "1")\n', r"odd: SPEC is no consentcrawl\.core\.Spec"),
}


@pytest.fixture
def of_another_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a distribution whose module ``odd`` is named by its entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(importlib.import_module("sys").modules, "odd", raising=False)
    monkeypatch.setattr(discovery, "entry_points", lambda group: [EntryPoint("odd", "odd", group)])
    return tmp_path / "odd.py"


def test_ours_imported_names_and_names_with_an_underscore_are_left_alone(of_another_distribution: Path) -> None:
    of_another_distribution.write_text(GOOD)
    assert "odd" in map(name_of, discovery.signals.__wrapped__())


@pytest.mark.parametrize(("text", "says"), MISSPELT.values(), ids=MISSPELT)
def test_ours_a_module_with_a_name_that_no_signal_has_is_refused_with_both_names(
    text: str, says: str, of_another_distribution: Path
) -> None:
    of_another_distribution.write_text(text)
    with pytest.raises(BadSignal, match=says) as raised:
        discovery.signals.__wrapped__()
    assert isinstance(raised.value, ConsentError)


def test_ours_a_module_without_a_source_is_checked_by_what_is_in_it(
    of_another_distribution: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_another_distribution.write_text(GOOD + "MAKERS = 0\n")
    monkeypatch.setattr("inspect.getsource", _no_source)
    with pytest.raises(BadSignal, match=r"MAKERS, ascii_letters"):
        discovery.signals.__wrapped__()


def _no_source(_: object) -> str:
    raise OSError


def test_ours_what_a_module_may_offer_is_typed_and_frozen() -> None:
    spec = Spec("a", "1", "https://a.example/", (Gate.HEAD,), "nothing")
    with pytest.raises(FrozenInstanceError):
        spec.hosts = ("a.example",)  # type: ignore[misc]


CALLS = """from consentcrawl.core import Category, allow, disallow, remark

allow(Category.TRAIN, "yes", "here", note="of the field", under=("inherit", "all"))
disallow(Category.TRAIN, "no", "here", about="art:1", rank=1)
remark(Category.TRAIN, "perhaps", "here", "a note", names="art:1")
disallow(Category.TRAIN, "no", "here", abuot="art:1")
allow(Category.TRAIN, "yes", "here", rank="first")
remark(Category.TRAIN, "perhaps", "here", "a note", note="another")
"""


def test_ours_a_misspelt_keyword_of_a_statement_is_an_error_for_mypy(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS)
    source = Path(discovery.__file__).parents[1]
    settings = tmp_path / "mypy.ini"
    settings.write_text(f"[mypy]\nstrict = true\nmypy_path = {source}\nfollow_imports = silent\n")
    said, _, code = api.run(["--config-file", str(settings), "--cache-dir", str(tmp_path), str(tmp_path / "calls.py")])
    assert code == 1
    assert re.findall(r"calls\.py:(\d+): error: (.*)  \[", said) == [
        ("6", 'Unexpected keyword argument "abuot" for "disallow"; did you mean "about"?'),
        ("7", 'Argument "rank" to "allow" has incompatible type "str"; expected "int"'),
        ("8", '"remark" gets multiple values for keyword argument "note"'),
    ]
