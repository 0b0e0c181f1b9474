"""Checks what a wheel holds: `python tests/project/wheel_contents.py WHEEL`."""

import hashlib
import json
import re
import sys
import zipfile
from email import message_from_string
from pathlib import Path

FOLDERS = {"pymlp"}
SUFFIXES = {".py", ".pyi", ".so", ".dylib", ".gz", ".typed"}


def metadata_file(wheel: zipfile.ZipFile, name: str) -> str:
    (found,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
    return wheel.read(found).decode()


def wrong_files(wheel: zipfile.ZipFile) -> list[str]:
    """Return what nobody expects in the package: sources, tests, caches."""
    own = [name for name in wheel.namelist() if ".dist-info/" not in name]
    return [
        name
        for name in own
        if name.split("/")[0] not in FOLDERS
        or (Path(name).suffix not in SUFFIXES and Path(name).name != "py.typed")
    ]


def licences(wheel: zipfile.ZipFile) -> set[str]:
    """Return the files of licences that the metadata names and that are there."""
    named = message_from_string(metadata_file(wheel, "METADATA")).get_all("License-File", [])
    for name in named:
        assert metadata_file(wheel, f"licenses/{name}"), name
    return {Path(name).name for name in named}


def check_bill(wheel: zipfile.ZipFile) -> dict[str, str]:
    """Check the bill of materials against what is there; return versions by name."""
    bill = json.loads(metadata_file(wheel, "sboms/pymlp.cdx.json"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    version = message_from_string(metadata_file(wheel, "METADATA"))["Version"]
    assert bill["metadata"]["component"]["version"] == version
    components = {one["name"]: one for one in bill["components"]}
    assert all(one["licenses"][0]["expression"] for one in components.values())
    libraries = [name for name in wheel.namelist() if name.startswith("pymlp/lib/")]
    assert ("OpenBLAS" in components) == bool(libraries)
    if libraries:
        (library,) = libraries
        (content,) = components["OpenBLAS"]["hashes"]
        assert content["content"] == hashlib.sha256(wheel.read(library)).hexdigest()
        assert {part["name"] for part in components["OpenBLAS"]["components"]} == {
            "LAPACK",
            "libgfortran",
        }
    return {name: one["version"] for name, one in components.items()}


def modules(wheel: zipfile.ZipFile) -> list[str]:
    return sorted(
        re.sub(r"\..*", "", Path(name).name)
        for name in wheel.namelist()
        if re.fullmatch(r"pymlp/_core\w*\.\S*\.so", name)
    )


def main(path: str) -> None:
    with zipfile.ZipFile(path) as wheel:
        assert wrong_files(wheel) == []
        assert modules(wheel) in (["_core"], ["_core", "_core_test"])
        assert licences(wheel) == {"LICENSE", "OpenBLAS.txt", "pybind11.txt"}
        print(f"{Path(path).name}: {len(wheel.namelist())} files, carries {check_bill(wheel)}")


if __name__ == "__main__":
    main(sys.argv[1])
