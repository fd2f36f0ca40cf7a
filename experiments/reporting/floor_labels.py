"""The labels of floors beside a figure, moved apart where floors lie close together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

MARK = "floor"  # the gid of the annotations
ROOM = 20  # points for a label of two lines


def spread_floor_labels(figure: Figure) -> None:
    """Move labels up or down, as little as possible, until none covers another.

    The least sum of squared moves with a distance of ROOM between neighbours is an isotonic
    regression (Barlow et al. 1972) of the places less ROOM for each label below.
    """
    from matplotlib.text import Annotation

    for axes in figure.axes:
        labels: list[Annotation] = [
            text for text in axes.texts if isinstance(text, Annotation) and text.get_gid() == MARK
        ]
        to_share = axes.transScale + axes.transLimits
        shares = np.array([to_share.transform((1, label.xy[1]))[1] for label in labels])
        places = shares * axes.get_position().height * figure.get_figheight() * 72
        order = np.argsort(places, kind="stable")
        if (np.diff(places[order]) >= ROOM).all():
            continue
        from scipy.optimize import isotonic_regression  # takes a while to import

        below = ROOM * np.arange(len(labels))
        spread = isotonic_regression(places[order] - below).x + below
        for place, index in zip(spread, order, strict=True):
            labels[index].xyann = (labels[index].xyann[0], place - places[index])
