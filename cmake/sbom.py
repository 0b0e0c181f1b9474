"""Print the software bill of materials of a build, as CycloneDX 1.6.

It names what the package carries beside its own code: OpenBLAS, with the parts that lie in the same
library, where it is bundled, and pybind11, whose headers are compiled in. What is installed beside
it (NumPy and others) and what the system brings (libstdc++, libc) is not carried. It says nothing
of time and place: equal builds have equal bills.
"""

import argparse
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

Component = dict[str, Any]
OPENBLAS_SOURCE = "https://github.com/OpenMathLib/OpenBLAS"
PYBIND11_SOURCE = "https://github.com/pybind/pybind11"


def component(
    name: str, version: str | None, licence: str, source: str | None = None, **others: Any
) -> Component:
    """Return an entry; a licence is an SPDX expression."""
    found: Component = {"type": "library", "bom-ref": name, "name": name}
    if version is not None:
        found["version"] = version
    found["licenses"] = [{"expression": licence}]
    if source is not None:
        found["externalReferences"] = [{"type": "vcs", "url": source}]
    return found | others


def openblas(version: str, library: Path) -> Component:
    """Return the bundled library, and what is linked into it."""
    parts = [
        component(
            "LAPACK", None, "BSD-3-Clause-Open-MPI", "https://github.com/Reference-LAPACK/lapack"
        ),
        component(
            "libgfortran",
            None,
            "GPL-3.0-or-later WITH GCC-exception-3.1",
            "https://gcc.gnu.org/git/gcc.git",
        ),
    ]
    content = hashlib.sha256(library.read_bytes()).hexdigest()
    return component(
        "OpenBLAS", version, "BSD-3-Clause", OPENBLAS_SOURCE,
        description="pymlp/lib, of the wheel scipy-openblas32",
        purl=f"pkg:pypi/scipy-openblas32@{version}",
        hashes=[{"alg": "SHA-256", "content": content}],
        components=parts,
    )  # fmt: skip


def bill(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the whole document."""
    purl = f"pkg:pypi/pymlp@{arguments.version}"
    own = component("pymlp", arguments.version, "BSD-3-Clause", purl=purl)
    compiler, _, version = arguments.compiler.partition("=")
    carried = [
        component(
            "pybind11", arguments.pybind11, "BSD-3-Clause", PYBIND11_SOURCE,
            description="headers, compiled into the modules",
            purl=f"pkg:pypi/pybind11@{arguments.pybind11}",
        )
    ]  # fmt: skip
    if arguments.openblas:
        carried.append(openblas(arguments.openblas[0], Path(arguments.openblas[1])))
    tools = {"components": [{"type": "application", "name": compiler, "version": version}]}
    names = [one["bom-ref"] for one in carried]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own, "tools": tools},
        "components": carried,
        "dependencies": [{"ref": "pymlp", "dependsOn": names}, *({"ref": n} for n in names)],
    }


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--pybind11", required=True, metavar="VERSION")
    parser.add_argument("--compiler", required=True, metavar="NAME=VERSION")
    parser.add_argument("--openblas", nargs=2, metavar=("VERSION", "LIBRARY"))
    document = bill(parser.parse_args())
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    print(json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=2))


if __name__ == "__main__":
    main()
