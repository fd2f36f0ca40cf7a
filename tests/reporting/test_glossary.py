"""experiments/reporting/glossary.py: the words that a report defines."""

from __future__ import annotations

from experiments.paths import TEMPLATES
from experiments.reporting.glossary import read_glossary, words_in
from tests.conftest import ROOT


def test_the_copy_in_the_package_is_the_page_of_the_docs() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    copy = TEMPLATES / "glossary.md"
    assert copy.read_text("utf-8") == page, f"cp docs/glossary.md {copy.relative_to(ROOT)}"


def test_every_row_of_the_page_is_a_word() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| **")]
    words = read_glossary()
    assert len(words) == len(rows) > 40
    assert all(word.word and word.meaning.endswith(".") for word in words)


def test_a_text_uses_words_whole_also_in_the_plural_and_by_their_short_names() -> None:
    found = [
        word.word for word in words_in("Dashed: the floors. A flagged tf_style at num_steps 5.")
    ]
    assert found == ["num_steps", "entropy floor", "tf_style"]
