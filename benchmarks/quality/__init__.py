"""What models of tables learn, beside other libraries: ``python -m benchmarks.quality``."""

from benchmarks.quality.datasets import DATASETS, HALVES, Dataset, datasets, split

__all__ = ["DATASETS", "HALVES", "Dataset", "datasets", "split"]
