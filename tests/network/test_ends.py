"""What ends a training from outside: signals that end the process, exceptions in what it calls."""

import subprocess
import sys
import textwrap

import pytest

SECONDS = 60.0  # after which something hangs

SETUP = """
import atexit, faulthandler, io, os, signal, sys, threading, time
import numpy as np
import pymlp

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 32)).astype(np.float32)
y = rng.integers(0, 4, 600)
net = pymlp.Network([32, 64, 64, 4], output="softmax", seed=0)
nets = pymlp.NetworkStack([net.copy() for _ in range(3)])


def after(seconds, work, *arguments):
    threading.Timer(seconds, work, arguments).start()


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


class Stop(Exception):
    pass


def stop(*_):
    raise Stop


def usable(*all_of_them):
    for one in all_of_them:
        assert np.isfinite(one.parameters).all()
        assert one.history is None or one.history.stopped_by == "interrupted"
        assert one.fit(X, y, epochs=1).stopped_by == "epochs"
"""

TRAININGS = {
    "fit": "net.fit(X, y, epochs=10**9)",
    "callback": "net.fit(X, y, epochs=10**9, callbacks=[lambda net, history: None])",
    "stack": "nets.fit(X, y, epochs=10**9, threads=2)",
    "in another thread": "in_thread(lambda: net.fit(X, y, epochs=10**9)).join()",
}


def run(script: str, ends_with: int = 0) -> str:
    """Run a script behind the setup; it must end as said, and say nothing of an error."""
    command = [sys.executable, "-W", "ignore", "-c", SETUP + textwrap.dedent(script)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == ends_with, f"{result.returncode}: {result.stdout}{result.stderr}"
    return result.stdout + result.stderr


# ---- SIGTERM -------------------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("work", TRAININGS.values(), ids=TRAININGS.keys())
def test_sigterm_ends_the_process_in_the_middle_of_a_training(work: str) -> None:
    assert not run(f"after(0.2, os.kill, os.getpid(), signal.SIGTERM)\n{work}", -15)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("kind", ["fit", "callback", "stack"])
def test_a_handler_of_sigterm_may_leave_with_what_was_learnt(kind: str) -> None:
    printed = run(
        f"""
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(3))
        atexit.register(lambda: (usable(*(nets.networks if {kind!r} == "stack" else [net])),
                                 print("whole")))
        after(0.2, os.kill, os.getpid(), signal.SIGTERM)
        {TRAININGS[kind]}
        """,
        3,
    )
    assert printed == "whole\n"


# ---- exceptions ----------------------------------------------------------------------------------
# What a bar writes to, which somebody may have filled or closed.
STREAM = """
class Full(io.StringIO):
    written = 0

    def write(self, text):
        self.written += 1
        if self.written > {writes}:
            raise Stop
        return len(text)

sys.stderr = Full()
"""


@pytest.mark.parametrize("writes", [0, 1, 3])
@pytest.mark.parametrize("work", ["net", "nets"])
def test_a_bar_that_cannot_be_written_ends_the_training_and_leaves_it_whole(
    work: str, writes: int
) -> None:
    run(
        STREAM.format(writes=writes)
        + textwrap.dedent(
            f"""
            try:
                {work}.fit(X, y, epochs=10**9, progress=True)
            except Stop:
                pass
            sys.stderr = sys.__stderr__
            usable(*getattr({work}, "networks", [{work}]))
            """
        )
    )


def test_a_closed_standard_error_does_not_hang_a_training() -> None:
    run(
        """
        sys.stderr.close()
        try:
            net.fit(X, y, epochs=3, progress=True)
        except ValueError:
            pass
        sys.stderr = sys.__stderr__ = open(os.devnull, "w")
        net.fit(X, y, epochs=1)
        """
    )


@pytest.mark.parametrize("work", ["net", "nets"])
def test_an_exception_in_a_callback_frees_who_waits(work: str) -> None:
    # Others predict and ask for a training meanwhile; they go on, and end.
    run(
        f"""
        ended = threading.Event()

        def late(network, history):
            if len(history.loss) > 2:
                raise Stop

        def others():
            while not ended.is_set():
                net.predict(X[:8])
                net.copy()

        threads = [in_thread(others) for _ in range(4)]
        for _ in range(20):
            try:
                {work}.fit(X, y, epochs=9, callbacks=[late])
            except Stop:
                pass
            else:
                sys.exit("the exception was lost")
        ended.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        net.fit(X, y, epochs=1)
        nets.fit(X, y, epochs=1)
        """
    )
