"""Print where the scipy-openblas32 wheel keeps its library, its version and its licence."""

from importlib.metadata import files, version
from pathlib import Path

import scipy_openblas32

library = Path(scipy_openblas32.get_lib_dir()) / scipy_openblas32.get_library(fullname=True)
licence = next(file for file in files("scipy-openblas32") if file.name.startswith("LICENSE"))
print(library, version("scipy-openblas32"), Path(licence.locate()), sep=";")
