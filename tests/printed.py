"""What is printed beside what a page or an example promises: rounding may change last digits."""

import math
import re
from decimal import Decimal

NUMBER = r"-?\d+\.\d+(?:e[+-]\d+)?"  # what rounding may change; whole numbers are exact


def differences(printed: str, expected: str) -> list[str]:
    """Return what differs; … stands for anything, and numbers may differ by rounding."""
    texts = [re.escape(text).replace("…", ".+") for text in re.split(NUMBER, expected)]
    match = re.fullmatch(f"({NUMBER})".join(texts), printed)
    if match is None:
        return [printed]
    numbers = zip(match.groups(), re.findall(NUMBER, expected), strict=True)
    return [f"{actual}, not {wanted}" for actual, wanted in numbers if not close(actual, wanted)]


def close(actual: str, wanted: str) -> bool:
    """Whether two numbers are within 5 % or within five units of the last digit shown."""
    last_digit = 10.0 ** int(Decimal(wanted).as_tuple().exponent)
    return math.isclose(float(actual), float(wanted), rel_tol=0.05, abs_tol=5 * last_digit)
