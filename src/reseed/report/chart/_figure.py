"""A figure of matplotlib that a notebook shows, whichever backend it has; imported only where something is drawn."""

from __future__ import annotations

from io import BytesIO
from typing import final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


@final
class ShownFigure(Figure):
    """A figure that belongs to no window, so that nothing has to be closed."""

    def _repr_png_(self) -> bytes:
        """Return the picture, for notebooks."""
        content = BytesIO()
        FigureCanvasAgg(self)
        self.savefig(content, format="png", dpi=self.dpi)
        return content.getvalue()
