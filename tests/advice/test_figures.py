"""experiments/advice/figures.py, on advice that is made up."""

from __future__ import annotations

import numpy as np

from experiments.advice.figures import error_signal_figure
from experiments.advice.reading import Reading
from tests.advice.test_analysis import advice, reading


def test_examples_shorter_than_the_window_have_a_picture_of_the_lags_that_they_reach() -> None:
    """A window of shorter examples than another has no error signal at the last lags."""

    def cut(whole: Reading) -> Reading:
        signal = whole.error_signal.copy()
        signal[0, 10:] = signal[:, 20:] = np.nan
        return whole._replace(error_signal=signal)

    figure = error_signal_figure(advice(cut(reading(50, 0.5, 3)), cut(reading(100, 0.45, 8))))
    (axes,) = figure.axes
    start, *_, last = (np.asarray(line.get_ydata()) for line in axes.lines[:3])
    assert np.isfinite(last[:20]).all()
    assert np.isnan(last[20:]).all()
    assert np.isfinite(start).all()
