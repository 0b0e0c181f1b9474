"""Everything at once, for seconds; stress.py does it for as long as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest

STRESS = Path(__file__).with_name("stress.py")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_three_networks_and_six_threads(seed: int) -> None:
    command = [sys.executable, STRESS, "4", str(seed)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
