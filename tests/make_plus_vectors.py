"""Writes the made part of vectors/plus_data_mining.toml: every term in every syntax and container.

Run it as ``python tests/make_plus_vectors.py``; what stands above the mark in the file is kept, it is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).parent / "vectors" / "plus_data_mining.toml"
MARK = "# ---- Below this line everything is written by make_plus_vectors.py ----\n"

_ALL = ("tdm", "train", "ai-use", "search")
_SEE = ("tdm", "ai-use", "search")

# Term: what a person would say, and what it forbids.
TERMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "DMI-PROHIBITED": ("nobody may mine it", _ALL),
    "DMI-PROHIBITED-AIMLTRAINING": ("no AI may be trained on it", ("train",)),
    "DMI-PROHIBITED-GENAIMLTRAINING": ("no generative AI may be trained on it", ("train-generative",)),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": ("only search engines may index it", ("tdm", "ai-use")),
    "DMI-PROHIBITED-SEECONSTRAINT": ("mining is prohibited and a constraint says more", _SEE),
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": ("mining is prohibited and an expression inside says more", _SEE),
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": ("mining is prohibited and a linked expression says more", _SEE),
    "DMI-PROHIBITED-FUTUREUSE": ("something is prohibited in a term of the future", _ALL),
    "DMI-ALLOWED": ("it may be mined", ()),
    "DMI-UNSPECIFIED": ("nothing is defined", ()),
}
MAIN = ("jpeg", "png", "webp", "tiff", "gif", "avif")
OTHER = (
    "jpeg late", "jpeg extended", "jpeg resources", "png compressed", "png late", "png bad crc", "png raw profile",
    "png raw segment", "tiff second", "bigtiff", "gif blocks", "heif", "jxl", "jp2", "svg", "svg root",
)  # fmt: skip
PLAIN_SYNTAXES = ("attribute", "element", "resource")
ODD_SYNTAXES = (
    "prefix", "bag", "seq", "alt", "value", "value attribute", "node", "cdata", "spaced", "commented",
)  # fmt: skip
ENCODINGS = ("utf-16 little", "utf-16 big", "utf-16 marked", "utf-32 little", "utf-32 big", "utf-32 marked")
SPELLINGS = {
    "the bare term": " {}",
    "https": "https://ns.useplus.org/ldf/vocab/{}",
    "a slash behind": "http://ns.useplus.org/ldf/vocab/{}/",
    "white space around": "  http://ns.useplus.org/ldf/vocab/{}  ",
}


def states(term: str) -> list[list[str]]:
    """Return what a term states, as a vector writes it."""
    if term == "DMI-ALLOWED":
        return [["tdm", "allowed"], ["train", "allowed"]]
    return [[category, "disallowed"] for category in TERMS[term][1]]


def vector(title: str, term: str, *arguments: str) -> str:
    """Write one vector."""
    said = str(states(term)).replace("'", '"')
    quote = f'quote = "{term}"\n' if states(term) else ""
    given = str(list(arguments)).replace("'", '"')
    return (
        f'[[vector]]\ntitle = "{title}"\nstates = {said}\n{quote}[[vector.found]]\nneed = "BODY"\nstatus = 200\n'
        f'content_from = "with_data_mining"\nargs = {given}\n'
    )


def vectors() -> Iterator[str]:
    """Write every made vector."""
    for container in MAIN:
        for syntax in PLAIN_SYNTAXES:
            for term, (meaning, _) in TERMS.items():
                yield vector(
                    f"The XMP of a {container} file says, as {syntax}: {meaning}", term, container, syntax, term
                )
    for container in OTHER:
        for term in ("DMI-PROHIBITED-AIMLTRAINING", "DMI-ALLOWED"):
            meaning = TERMS[term][0]
            yield vector(f"The XMP in an odd place ({container}) says: {meaning}", term, container, "element", term)
    yield from _spelt()


def _spelt() -> Iterator[str]:
    term = "DMI-PROHIBITED-AIMLTRAINING"
    for syntax in ODD_SYNTAXES:
        yield vector(f"No AI training, written in another way of RDF ({syntax})", term, "jpeg", syntax, term)
    for encoding in ENCODINGS:
        title = f"No AI training, in a packet encoded as {encoding}"
        yield vector(title, term, "jpeg", "attribute", term, encoding)
    for name, spelling in SPELLINGS.items():
        for spelt in (term, "DMI-ALLOWED"):
            title = f"{TERMS[spelt][0].capitalize()}, spelt with {name}"
            yield vector(title, spelt, "jpeg", "element", spelling.format(spelt))


def main() -> None:
    """Write the made part of the file anew."""
    by_hand = FILE.read_text(encoding="utf-8").partition(MARK)[0]
    FILE.write_text(by_hand + MARK + "\n" + "\n".join(vectors()), encoding="utf-8")


if __name__ == "__main__":
    main()
