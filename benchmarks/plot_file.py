"""A plot as a file."""

from pathlib import Path

import matplotlib.pyplot as plt


def save(figure: plt.Figure, file: Path, dpi: int = 100) -> Path:
    """Writes a PNG that is the same where the plot is, closes the figure, returns the file."""
    figure.tight_layout()
    figure.savefig(file, dpi=dpi, metadata={"Software": None})
    plt.close(figure)
    return file
