"""Models of tables: columns with names and kinds, missing values, categories, and a network."""

from pymlp.tabular.classifier import TabularClassifier
from pymlp.tabular.columns import Column, Columns
from pymlp.tabular.encoder import TableEncoder
from pymlp.tabular.frames import columns_of
from pymlp.tabular.kinds import Decision
from pymlp.tabular.regressor import TabularRegressor

__all__ = [
    "Column",
    "Columns",
    "Decision",
    "TableEncoder",
    "TabularClassifier",
    "TabularRegressor",
    "columns_of",
]


def __dir__() -> list[str]:
    return sorted(__all__)
