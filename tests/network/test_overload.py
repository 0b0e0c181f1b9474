"""What calls cost where threads wait or idle: processor seconds and memory, never the clock."""

import subprocess
import sys
import textwrap

import pytest

SECONDS = 120.0  # after which something hangs

SETUP = """
import os, resource, threading, time
import numpy as np
import pymlp

rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 64)).astype(np.float32)
y = rng.integers(0, 8, 4000)


def network(seed=0):
    return pymlp.Network([64, 256, 256, 8], output="softmax", seed=seed)


def cpu(work):
    '''Return the processor seconds of all threads of this process while it works.'''
    before = time.process_time()
    work()
    return time.process_time() - before


def least(work, times=5):
    return min(cpu(work) for _ in range(times))


def threads():
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("Threads:")).split()[1])


def of_each_thread():
    '''Return the processor seconds of every thread of this process.'''
    found = {}
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/schedstat") as file:
            found[task] = int(file.read().split()[0]) / 1e9
    return found


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def run(script: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", SETUP + textwrap.dedent(script)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, f"{result.returncode}: {result.stdout}{result.stderr}"
    return result.stdout


def test_a_team_that_has_nothing_to_do_uses_no_processor() -> None:
    run(
        """
        pymlp.set_num_threads(8)
        net = network()
        net.fit(X, y, epochs=1)
        net.predict(X)
        assert threads() > 1
        time.sleep(0.1)
        assert cpu(lambda: time.sleep(1.0)) < 0.02
        """
    )


def test_threads_that_are_not_called_sleep_while_others_work() -> None:
    # Each training has jobs by the hundreds, of two threads; whoever else woke up for each of them
    # would spin for tens of microseconds.
    run(
        """
        net = network()
        started = threads()
        net.predict(np.repeat(X, 4, axis=0), threads=8)
        assert threads() > started
        time.sleep(0.1)
        before = of_each_thread()
        net.fit(X, y, epochs=2, batch_size=64, threads=2, optimizer="sgd")
        after = of_each_thread()
        spent = sorted(after[thread] - before.get(thread, 0.0) for thread in after)
        assert spent[-1] > 0.01, spent
        assert sum(spent[:-2]) < 0.01 * sum(spent), spent
        """
    )


@pytest.mark.parametrize(
    "call",
    [
        "net.fit(X, y, epochs=1, batch_size=256, threads=threads)",
        "net.predict(X, threads=threads)",
        "net.gradients(X, y, threads=threads)",
        "nets.fit(X[:1000], y[:1000], epochs=1, batch_size=256, threads=threads)",
    ],
)
def test_many_more_threads_than_processors_cost_what_few_do(call: str) -> None:
    run(
        f"""
        net, nets = network(), pymlp.NetworkStack(network(i) for i in range(4))
        call = lambda threads: [{call} for _ in range(3)]
        call(2), call(64)
        of_two, of_many = zip(*[(cpu(lambda: call(2)), cpu(lambda: call(64))) for _ in range(4)])
        assert min(of_many) < 2 * min(of_two), (of_many, of_two)
        """
    )


def test_predictions_that_wait_for_a_training_do_not_spin() -> None:
    # A third of each step is an update, for which they wait; what each costs its own thread is
    # counted. Parameters that others have just written are read from farther away.
    run(
        """
        net = pymlp.Network([64, 1024, 1024, 8], output="softmax", seed=0)
        x = X[:1]

        def read(times):
            before = time.thread_time()
            for _ in range(times):
                net.predict(x)
            return (time.thread_time() - before) / times

        read(10)
        alone, ended = min(read(100) for _ in range(5)), threading.Event()
        look = [lambda net, history: ended.is_set()]
        training = threading.Thread(
            target=net.fit,
            args=(X[:64], y[:64]),
            kwargs=dict(epochs=10**9, batch_size=64, callbacks=look),
        )
        training.start()
        beside = read(500)
        ended.set()
        training.join()
        assert beside < 4 * alone, (beside, alone)
        """
    )


def test_a_training_that_waits_for_a_long_read_does_not_spin() -> None:
    run(
        """
        net, many = network(), np.repeat(X, 60, axis=0)
        reading = threading.Thread(target=net.predict, args=(many,), kwargs=dict(threads=1))
        alone = least(lambda: net.predict(many, threads=1), 2)
        steps = least(lambda: net.fit(X[:8], y[:8], epochs=1, threads=1), 2)

        def both():
            reading.start()
            time.sleep(0.05)
            net.fit(X[:8], y[:8], epochs=1, threads=1)
            reading.join()

        assert cpu(both) < 1.4 * (alone + steps)
        """
    )


def test_a_thousand_networks_cost_their_memory_and_nothing_else() -> None:
    run(
        """
        import os

        first = network()
        first.fit(X[:256], y[:256], epochs=1)
        first.predict(X[:256])
        plan = first.plan(batch_size=256)
        started, before = threads(), resident()
        options = dict(output="softmax", init="zeros")
        some = lambda count: [pymlp.Network(first.widths, **options) for _ in range(count)]
        nets = some(1000)
        assert resident() - before < 1.1 * 1000 * 4 * first.parameters.size + 4e6
        assert threads() == started
        assert cpu(lambda: time.sleep(0.5)) < 0.02
        for net in nets:
            net.predict(X[0])
            net.release_memory()
        assert resident() - before < 1.1 * 1000 * 4 * first.parameters.size + 8e6
        # A fork looks at each of them, in the parent and in the child.
        child = os.fork()
        if child == 0:
            nets[500].fit(X[:64], y[:64], epochs=1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        # What they leave serves those that come next: the C library need not give it back.
        most = resident() + 4e6
        for _ in range(3):
            del nets
            nets = some(1000)
            assert resident() < most
        """
    )
