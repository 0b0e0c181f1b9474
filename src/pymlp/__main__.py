"""Runs the command line as ``python -m pymlp``."""

import sys

from pymlp.cli import main

if __name__ == "__main__":
    sys.exit(main())
