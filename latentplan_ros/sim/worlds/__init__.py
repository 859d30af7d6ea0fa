"""Worlds without an arm, in which sequences of gray pictures are recorded."""
