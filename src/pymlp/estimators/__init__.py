"""Estimators with scikit-learn's contract: its `MLPClassifier` and `MLPRegressor`, and more."""

try:
    import sklearn  # type: ignore[import-untyped]  # noqa: F401
    from sklearn.utils.validation import (  # type: ignore[import-untyped]
        validate_data as _since_1_6,  # noqa: F401
    )
except ImportError as error:
    raise ImportError(
        "pymlp's estimators need scikit-learn 1.6 or later: pip install 'pymlp[sklearn]'"
    ) from error

from pymlp.estimators.classifier import MLPClassifier
from pymlp.estimators.conversion import from_sklearn, to_sklearn
from pymlp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "from_sklearn", "to_sklearn"]
