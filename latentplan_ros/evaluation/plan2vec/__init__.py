"""How well Plan2vec's metrics guide: in mazes, in towns, and against recorded labels."""
