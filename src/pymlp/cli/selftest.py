"""``pymlp selftest``: whether this installation computes what it should."""

from __future__ import annotations

import argparse
import json

from pymlp.certificate import selftest as test


def selftest(arguments: argparse.Namespace) -> int:
    """Print the certificate; the exit status tells the verdict."""
    certificate = test()
    print(json.dumps(certificate.to_dict(), indent=2) if arguments.json else certificate)
    return 0 if certificate.passed else 1
