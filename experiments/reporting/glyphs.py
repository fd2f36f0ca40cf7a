"""Characters that the font of the pictures lacks: in another installed font, or as escapes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.text import Text

FONT = "DejaVu Sans"  # of every picture; comes with matplotlib
BOXES = "Last Resort"  # draws any character as a box with its number


def show_all_characters(texts: Sequence[Text], named: Sequence[Axis]) -> None:
    """Draw each character in a font that has it, and one that no font has as \\u674e.

    `named` are the axes whose labels are among the texts; they write these anew.
    """
    lacking = _printable("".join(text.get_text() for text in texts)) - _characters(FONT)
    if not lacking:
        return
    families = _fonts_with(frozenset(lacking))
    shown = _characters(FONT).union(*map(_characters, families))
    for axis in named:
        labels = [_with_escapes(label.get_text(), shown) for label in axis.get_ticklabels()]
        axis.set_ticks(axis.get_ticklocs(), labels)
    for text in texts:
        text.set_fontfamily([FONT, *families])
        text.set_text(_with_escapes(text.get_text(), shown))


def _printable(text: str) -> set[str]:
    return {each for each in text if not each.isspace()}


def _with_escapes(text: str, shown: frozenset[str]) -> str:
    """The text with each character that is not among those shown as its escape in Python."""
    return "".join(
        each if each.isspace() or each in shown else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


@functools.cache
def _fonts_with(lacking: frozenset[str]) -> Sequence[str]:
    """Installed fonts that together have as many of these characters as can be had."""
    found = []
    for family in _families():
        if lacking & _characters(family):
            found.append(family)
            lacking -= _characters(family)
        if not lacking:
            break
    return found


def _families() -> list[str]:
    """The installed fonts, those without serifs first, as the pictures' own is."""
    from matplotlib.font_manager import fontManager

    names = {entry.name for entry in fontManager.ttflist if not entry.name.startswith(BOXES)}
    return sorted(names, key=lambda name: ("Sans" not in name, name))


@functools.cache
def _characters(family: str) -> frozenset[str]:
    """The characters that a font has; none where its file cannot be read."""
    from matplotlib.font_manager import findfont, get_font

    try:
        numbers = get_font(findfont(family, fallback_to_default=False)).get_charmap()
    except (OSError, RuntimeError, ValueError):
        return frozenset()
    return frozenset(map(chr, numbers))
