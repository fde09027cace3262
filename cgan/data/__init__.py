"""Data sets by name."""

from cgan.data.base import Dataset, Images, Split
from cgan.data.faces import Faces
from cgan.data.folder import Folder
from cgan.data.vision import CIFAR10, EMNIST, KMNIST, MNIST, CelebA, FashionMNIST
from cgan.registry import Registry

DATASETS: Registry[Dataset] = Registry(
    "dataset",
    mnist=MNIST,
    fashion_mnist=FashionMNIST,
    kmnist=KMNIST,
    emnist=EMNIST,
    cifar10=CIFAR10,
    celeba=CelebA,
    faces=Faces,
    folder=Folder,
)

__all__ = ["DATASETS", "Dataset", "Images", "Split"]
