"""Data sets by name."""

from cgan.data.base import Dataset, Images, Split
from cgan.data.vision import MNIST, FashionMNIST
from cgan.registry import Registry

DATASETS: Registry[Dataset] = Registry("dataset", mnist=MNIST, fashion_mnist=FashionMNIST)

__all__ = ["DATASETS", "Dataset", "Images", "Split"]
