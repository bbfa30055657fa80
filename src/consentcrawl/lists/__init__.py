"""Opt-out lists that the taker holds: compiled once into a file that is asked without being loaded."""

from consentcrawl.lists.build import Built, compile_list
from consentcrawl.lists.compiled import CompiledList
from consentcrawl.lists.layout import BadList
from consentcrawl.lists.rows import KINDS, PERCEPTUAL, Row

__all__ = ["KINDS", "PERCEPTUAL", "BadList", "Built", "CompiledList", "Row", "compile_list"]
