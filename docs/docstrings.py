"""Reads the package's docstrings, whose last sections are Keras's, as Griffe knows them."""

import re

import griffe


class Headings(griffe.Extension):
    """Headings without indentation become bold, and doctests code."""

    def on_object(self, *, obj, **kwargs):
        """Rewrites a docstring as soon as it is loaded."""
        if obj.docstring:
            text = re.sub(r"(?m)^(Example|Reference):$", r"**\1**", obj.docstring.value)
            obj.docstring.value = re.sub(r"(?m)^(>>> (?:.+\n?)+)", r"```pycon\n\1\n```\n", text)
