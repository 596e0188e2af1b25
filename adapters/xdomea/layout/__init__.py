"""Tables that say how each family of versions spells the objects of the model."""

from adapters.xdomea.layout.rows import Inside, Item, Kind, Layout, Row, layout_of
from adapters.xdomea.layout.tables import TABLES

__all__ = ["TABLES", "Inside", "Item", "Kind", "Layout", "Row", "layout_of"]
