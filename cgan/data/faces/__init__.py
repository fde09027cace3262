"""Cartoon faces with exact truth: attributes, a segmentation map, captions and a line drawing."""

from cgan.data.faces.attributes import ATTRIBUTES, CLASSES
from cgan.data.faces.dataset import Faces

__all__ = ["ATTRIBUTES", "CLASSES", "Faces"]
