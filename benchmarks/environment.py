"""The machine and the settings under which a benchmark runs."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

# Instruction sets that decide which kernels libraries take.
_TOLD = (
    *("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    *("amx_tile", "amx_bf16", "amx_int8"),
)
_ZEN_3 = {*range(0x10), *range(0x20, 0x60)}  # models of AMD's family 25 that are not Zen 4
_SAPPHIRE_RAPIDS = {143, 207, 167}  # with Emerald Rapids; clouds also show it as 167
_FOREIGN = ("OPENBLAS_", "MKL_", "OMP_", "GOTO_", "KMP_")
_AGAIN = "without_foreign_settings"


def without_foreign_settings(module: str) -> None:
    """Start again where the environment sets what other libraries' kernels or threads do.

    One such variable, exported in a shell for some other purpose, can halve a peer's speed. What a
    package sets when it is imported does not begin this anew.
    """
    foreign = [key for key in os.environ if key.startswith(_FOREIGN)]
    for key in foreign:
        del os.environ[key]
    if foreign and _AGAIN not in sys._xoptions:
        command = [sys.executable, "-X", _AGAIN, "-m", module, *sys.argv[1:]]
        os.execv(sys.executable, command)


def machine() -> dict[str, Any]:
    """Return processor, caches, instruction sets, cores that may be used, and systems."""
    about = _cpuinfo()
    family, model = int(about.get("cpu family", 0)), int(about.get("model", 0))
    return {
        "processor": about.get("model name") or platform.processor() or "unknown",
        "family": family,
        "model": model,
        "kind": kind_of(about.get("vendor_id", ""), family, model),
        "caches": _caches(),
        "instructions": [name for name in _TOLD if name in about.get("flags", "").split()],
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()} {platform.release()}",
        "python": platform.python_version(),
    }


def kind_of(vendor: str, family: int, model: int) -> str:
    """Return the name of a processor's kind where marks name it, otherwise its family."""
    if vendor == "AuthenticAMD" and family == 26:
        return "Zen 5"
    if vendor == "AuthenticAMD" and family == 25 and model not in _ZEN_3:
        return "Zen 4"
    if vendor == "GenuineIntel" and family == 6 and model in _SAPPHIRE_RAPIDS:
        return "Sapphire Rapids"
    return f"{vendor} family {family}"


def cores() -> int:
    """Return how many processors this process may use, as pymlp counts them."""
    import pymlp

    return pymlp.get_num_threads()


def _cpuinfo() -> dict[str, str]:
    """Return what Linux says of the first processor; nothing elsewhere."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return {}
    first = information.read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _caches() -> list[dict[str, str]]:
    """Return the caches of the first processor, and which processors share each."""
    folders = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
    names = ("level", "type", "size", "shared_cpu_list")
    return [{n: (f / n).read_text(encoding="utf-8").strip() for n in names} for f in folders]
