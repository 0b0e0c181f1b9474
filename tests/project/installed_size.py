"""Fail where the installed package takes more bytes than are allowed: ``installed_size.py 5e6``."""

import sys
from pathlib import Path

import pymlp

files = [path for path in Path(pymlp.__file__).parent.rglob("*") if path.is_file()]
size = sum(path.stat().st_size for path in files if path.suffix != ".pyc")
print(f"{size:,} bytes in {len(files)} files")
sys.exit(size > float(sys.argv[1]))
