"""The models by name: each with its library's defaults, and categories as its library wants them.

A factory takes a `Task` and returns something with scikit-learn's `fit`, `predict` and, for
classes, `predict_proba`, which takes the data sets' frames. It imports what it needs when called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pandas as pd

REFERENCE = "scikit-learn MLP"


@dataclass(frozen=True)
class Task:
    """What is to be learnt: classes or numbers, from which columns, with which threads and seed."""

    classes: bool
    categories: tuple[str, ...]
    threads: int
    seed: int

    def choose(self, classifier: Any, regressor: Any) -> Any:
        """Return the one that fits."""
        return classifier if self.classes else regressor


Factory = Callable[[Task], Any]


@dataclass(frozen=True)
class Model:
    """A factory, the distribution that it needs, and what a reader is told of its settings."""

    make: Factory
    package: str
    settings: str

    @property
    def installed(self) -> bool:
        """Whether its package is; pymlp may be run from its source."""
        try:
            return self.package == "pymlp" or bool(version(self.package))
        except PackageNotFoundError:
            return False


# ---- tables for those that take numbers alone --------------------------------------------------


def _numbers_alone(estimator: Any) -> Any:
    """Put one-hot categories, medians for what is missing, and standardisation before it."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (one_hot, make_column_selector(dtype_include="category")),
    )
    return make_pipeline(columns, estimator)


def _changed(change: Callable[[pd.DataFrame], pd.DataFrame], estimator: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(change), estimator)


def _named_gaps(X: pd.DataFrame) -> pd.DataFrame:
    """Give missing categories a name of their own: CatBoost takes texts."""
    texts = X.select_dtypes("category")
    return X.assign(**{name: texts[name].astype(object).fillna("missing") for name in texts})


def _medians(estimator: Any) -> Any:
    """Put medians for missing numbers before it; categories stay as they are."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    medians = make_column_transformer(
        (SimpleImputer(strategy="median"), make_column_selector(dtype_include="number")),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(medians.set_output(transform="pandas"), estimator)


# ---- the factories -----------------------------------------------------------------------------


def _sklearn_mlp(task: Task) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if task.classes:
        return _numbers_alone(MLPClassifier(random_state=task.seed))
    network = MLPRegressor(random_state=task.seed)
    return _numbers_alone(TransformedTargetRegressor(network, transformer=StandardScaler()))


def _random_forest(task: Task) -> Any:
    from sklearn import ensemble

    kind = task.choose(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)
    return _numbers_alone(kind(random_state=task.seed, n_jobs=task.threads))


def _histogram_boosting(task: Task) -> Any:
    from sklearn import ensemble

    kind = task.choose(
        ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor
    )
    return kind(random_state=task.seed, categorical_features="from_dtype")


def _lightgbm(task: Task) -> Any:
    import lightgbm

    kind = task.choose(lightgbm.LGBMClassifier, lightgbm.LGBMRegressor)
    return kind(random_state=task.seed, n_jobs=task.threads, verbose=-1)


def _xgboost(task: Task) -> Any:
    import xgboost

    kind = task.choose(xgboost.XGBClassifier, xgboost.XGBRegressor)
    return kind(random_state=task.seed, n_jobs=task.threads, enable_categorical=True)


def _catboost(task: Task) -> Any:
    import catboost

    kind = task.choose(catboost.CatBoostClassifier, catboost.CatBoostRegressor)
    model = kind(
        random_seed=task.seed,
        thread_count=task.threads,
        cat_features=list(task.categories),
        verbose=False,
        allow_writing_files=False,
    )
    return _changed(_named_gaps, model)


def _realmlp(kind: str) -> Factory:
    def make(task: Task) -> Any:
        import pytabkit

        estimator = getattr(pytabkit, f"RealMLP_{kind}_{task.choose('Classifier', 'Regressor')}")
        return _medians(estimator(device="cpu", random_state=task.seed, n_threads=task.threads))

    return make


def _pymlp(**options: Any) -> Factory:
    def make(task: Task) -> Any:
        import pymlp

        kind = task.choose(pymlp.TabularClassifier, pymlp.TabularRegressor)
        return kind(random_state=task.seed, n_jobs=task.threads, **options)

    return make


# ---- the table ---------------------------------------------------------------------------------

_NUMBERS_ALONE = "one-hot categories, medians for missing numbers, standardised inputs"
_MEDIANS = "medians for missing numbers, categories native"

MODELS: Mapping[str, Model] = {
    "pymlp fast": Model(_pymlp(quality="fast"), "pymlp", 'quality="fast"'),
    "pymlp": Model(_pymlp(), "pymlp", "defaults"),
    "pymlp best": Model(_pymlp(quality="best"), "pymlp", 'quality="best"'),
    REFERENCE: Model(
        _sklearn_mlp, "scikit-learn", f"defaults; {_NUMBERS_ALONE}, standardised target"
    ),
    "HistGradientBoosting": Model(
        _histogram_boosting, "scikit-learn", "defaults, categories native"
    ),
    "RandomForest": Model(_random_forest, "scikit-learn", f"defaults; {_NUMBERS_ALONE}"),
    "LightGBM": Model(_lightgbm, "lightgbm", "defaults, categories native"),
    "XGBoost": Model(_xgboost, "xgboost", "defaults, categories native"),
    "CatBoost": Model(_catboost, "catboost", "defaults, categories native"),
    "RealMLP-TD-S": Model(_realmlp("TD_S"), "pytabkit", f"defaults; {_MEDIANS}"),
    "RealMLP-TD": Model(_realmlp("TD"), "pytabkit", f"defaults; {_MEDIANS}"),
}
