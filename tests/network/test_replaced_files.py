"""What writing a file over another one leaves as it was."""

import os
import platform
import stat
import threading
from pathlib import Path

import pytest

import pymlp
from pymlp.files.atomic import part_name

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and permissions of POSIX")


@pytest.fixture
def net() -> pymlp.Network:
    return pymlp.Network([2, 1], seed=0)


def test_a_link_stays_one(net: pymlp.Network, tmp_path: Path) -> None:
    target, link = tmp_path / "folder" / "model", tmp_path / "model"
    target.parent.mkdir()
    link.symlink_to(target)
    for _ in range(2):  # the first time it leads to nothing
        net.save(link)
        assert link.is_symlink()
        assert (pymlp.load(target).parameters == net.parameters).all()
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_permissions_stay(mode: int, net: pymlp.Network, tmp_path: Path) -> None:
    path = tmp_path / "model"
    net.save(path)
    path.chmod(mode)
    net.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_usual_permissions(net: pymlp.Network, tmp_path: Path) -> None:
    net.save(tmp_path / "model")
    (tmp_path / "other").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("model", "other")}
    assert len(modes) == 1


def test_any_name_of_the_machine_will_do(
    net: pymlp.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "caf\udce9")
    net.save(tmp_path / "model")
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_a_link_that_lies_in_wait_is_not_followed(net: pymlp.Network, tmp_path: Path) -> None:
    path, other = tmp_path / "model", tmp_path / "other"
    other.write_text("mine")
    part = tmp_path / part_name(path, os.getpid(), threading.get_ident())
    part.symlink_to(other)
    net.save(path)
    assert other.read_text() == "mine"
    assert not path.is_symlink()
    assert not part.is_symlink()
