"""How running text is cut into words: in an export the file of this name is a copy of ``formats/tokenizer.py``."""

from workbench.formats.tokenizer import tokenize

__all__ = ["tokenize"]
