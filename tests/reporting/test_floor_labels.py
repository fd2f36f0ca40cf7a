"""Labels of floors that lie close together."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Annotation

from experiments.reporting.floor_labels import MARK, ROOM
from experiments.reporting.learning_curves import draw_floors
from experiments.reporting.pictures import render
from experiments.reporting.style import new_figure


@pytest.mark.parametrize("top", [0.7, 2.0, 50.0])
def test_no_label_covers_another_and_none_moves_without_need(top: float) -> None:
    figure = new_figure()
    axes = figure.subplots()
    axes.set_ylim(0.4, top)
    floors = {"none": 0.6616, "lag 3": 0.5192, "lag 8": 0.6277, "lag 3 + lag 8": 0.4545}
    draw_floors(axes, floors)
    render(figure)
    labels = [text for text in axes.texts if isinstance(text, Annotation)]
    assert [label.get_gid() for label in labels] == [MARK] * 4
    tall = axes.get_window_extent().height * 72 / figure.dpi
    places = [
        (label.xy[1] - 0.4) / (top - 0.4) * tall + label.xyann[1]
        for label in sorted(labels, key=lambda label: label.xy[1])
    ]
    assert np.diff(places).min() > 0.9 * ROOM
    moved = [abs(label.xyann[1]) for label in labels]
    assert max(moved) < len(labels) * ROOM
    if top == 0.7:
        assert min(moved) == pytest.approx(0, abs=1e-6)
