"""What ends a process, forks it or interrupts it, in processes of their own."""

import subprocess
import sys
import textwrap

import pytest

SECONDS = 60.0  # after which something hangs

SETUP = """
import faulthandler, gc, os, signal, sys, threading, time
import numpy as np
import pymlp

rng = np.random.default_rng(0)
net = pymlp.Network([32, 128, 128, 4], output="softmax", seed=0)
X = rng.normal(size=(2000, 32)).astype(np.float32)
y = rng.integers(0, 4, 2000)
opt = pymlp.Adam()

def own(a, y):
    difference = a.copy()
    difference[np.arange(len(y)), y] -= 1
    return (difference**2).sum(axis=1), 2 * difference

own_loss = pymlp.losses.Loss(own)
tanh = pymlp.Activation(forward=np.tanh, derivative=lambda z: 1 - np.tanh(z) ** 2)
own_net = pymlp.Network([32, 16, 4], hidden=tanh, seed=0)
stack = pymlp.NetworkStack([net, *(net.copy() for _ in range(4))])
"""


def run(script: str) -> str:
    """Run a script behind the setup; it must end by itself, without an error."""
    program = SETUP + textwrap.dedent(script)
    command = [sys.executable, "-W", "ignore", "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, f"{result.returncode}: {result.stdout}{result.stderr}"
    assert result.stderr == ""
    return result.stdout


# ---- the end of the interpreter ------------------------------------------------------------------
WORK = {
    "fit": "net.fit(X, y, epochs=10**6)",
    "callback": "net.fit(X, y, epochs=10**6, callbacks=[lambda n, h: time.sleep(0.001)])",
    "user loss": "net.fit(X, y, epochs=10**6, loss=own_loss)",
    "user activation": "own_net.predict(X)",
    "predict": "net.predict(X)",
    "one row": "net.predict(X[0])",
    "gradients": "net.gradients(X, y)",
    "vjp": "net.vjp(X, np.ones((2000, 4)))",
    "train_batch": "net.train_batch(X[:64], y[:64], optimizer=opt)",
    "save": "net.save('/dev/null')",
    "lbfgs": "net.fit(X, y, optimizer='lbfgs', epochs=5)",
    "stack": "stack.fit(X, y, epochs=10**6)",
    "stack, looked at": "stack.fit(X, y, epochs=10**6, early_stopping=10**6)",
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_a_daemon_thread_does_not_abort_the_interpreters_end(work: str) -> None:
    run(
        f"""
        def for_ever():
            while True:
                {work}

        threading.Thread(target=for_ever, daemon=True).start()
        time.sleep(0.2)
        """
    )


def test_the_last_breath_of_the_interpreter_may_train() -> None:
    printed = run(
        """
        import atexit

        class Last:
            def __del__(self, net=net, own_net=own_net, X=X, y=y, own_loss=own_loss, print=print):
                net.fit(X, y, epochs=2, loss=own_loss)
                net.fit(X, y, epochs=10**9, max_seconds=0.2)
                print(own_net.predict(X).shape)

        last = Last()
        atexit.register(lambda: net.fit(X, y, epochs=2, loss=own_loss))
        """
    )
    assert printed == "(2000, 4)\n"


# ---- forks ---------------------------------------------------------------------------------------
TRAIN = {
    "fit": "net.fit(X, y, epochs=10**9, batch_size=64, callbacks=[lambda n, h: stop.is_set()])",
    "train_batch": "while not stop.is_set(): net.train_batch(X, y, optimizer=opt)",
    "predict": "while not stop.is_set(): net.predict(X)",
    "gradients": "while not stop.is_set(): net.gradients(X, y)",
    "user loss": "while not stop.is_set(): net.fit(X, y, epochs=1, loss=own_loss)",
    "stack": "stack.fit(X, y, epochs=10**9, batch_size=64, callbacks=[lambda n, h: stop.is_set()])",
}


@pytest.mark.parametrize("work", TRAIN.values(), ids=TRAIN.keys())
def test_the_child_of_a_fork_in_the_middle_of_a_training_works(work: str) -> None:
    run(
        f"""
        stop = threading.Event()

        def busy():
            {work}

        def child():
            signal.alarm(20)
            assert (net.predict(X) == net.copy().predict(X)).all()
            assert net.predict(X[0]).shape == (4,)
            there = net.gradients(X, y)[1].flat
            assert (there == net.copy().gradients(X, y)[1].flat).all()
            assert net.fit(X, y, epochs=1).stopped_by == "epochs"
            net.train_batch(X, y, optimizer=pymlp.Adam())

        thread = threading.Thread(target=busy)
        thread.start()
        time.sleep(0.1)
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                try:
                    child()
                except BaseException as error:
                    print("child:", repr(error), flush=True)
                    os._exit(1)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        stop.set()
        thread.join()
        """
    )


def test_a_fork_in_a_callback_goes_on_training_in_the_child() -> None:
    run(
        """
        children = []

        def fork(network, history):
            if len(history.loss) == 1:
                children.append(os.fork())

        history = net.fit(X, y, epochs=3, batch_size=256, seed=1, callbacks=[fork])
        assert history.stopped_by == "epochs"
        net.fit(X, y, epochs=1)
        if children[0] == 0:
            os._exit(0)
        assert os.waitpid(children[0], 0)[1] == 0
        """
    )


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "work",
    [
        "net.predict(X, threads=threads)",
        "net.gradients(X, y, threads=threads)",
        "net.fit(X, y, epochs=2, batch_size=None, threads=threads)",
        "pymlp.NetworkStack([net, net.copy(), net.copy()]).fit(X[:1000], y[:1000], epochs=1, "
        "threads=threads)",
    ],
)
def test_a_signal_handler_may_fork_in_the_middle_of_a_call(work: str, threads: int) -> None:
    run(
        WIDE
        + textwrap.dedent(
            f"""
            threads = {threads}
            children = []

            def fork(number, frame):
                children.append(os.fork())
                if children[-1] == 0 and len(children) > 1:
                    os._exit(0)

            signal.signal(signal.SIGUSR1, fork)
            for after in (0.05, 0.1, 0.15, 0.2):
                send(signal.SIGUSR1, after)
            {work}
            whole = net.predict(X[:2000], threads=1)
            assert (net.predict(X[:2000], threads=2) == whole).all()
            if children[0] == 0:
                os._exit(0)
            signal.alarm(30)
            assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)
            """
        )
    )


def test_a_child_does_not_wait_for_an_import_of_its_parents() -> None:
    code = "import sys, pymlp; before = 'numpy.ma' in sys.modules; net = pymlp.Network([1, 1]); "
    code += "net.fit([[1]], [1], epochs=1); assert before == ('numpy.ma' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=SECONDS)


# ---- memory --------------------------------------------------------------------------------------
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
@pytest.mark.parametrize("room", [1, 4, 16])
@pytest.mark.parametrize("rows", [64, 4000])
def test_a_network_is_whole_after_a_memory_error(room: int, rows: int) -> None:
    run(
        f"""
        import resource

        net = pymlp.Network([32, 512, 512, 4], output="softmax", seed=0)
        X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2)
        net.train_batch(X[:64], y[:64], optimizer=opt)
        twin, twins = net.copy(), pymlp.Adam()
        twins.__setstate__(opt.__getstate__())
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + {room} * 2**20, resource.RLIM_INFINITY))
        try:
            net.train_batch(X, y, optimizer=opt)
        except MemoryError:
            pass
        else:
            sys.exit("there was memory enough")
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        net.train_batch(X[:{rows}], y[:{rows}], optimizer=opt)
        twin.train_batch(X[:{rows}], y[:{rows}], optimizer=twins)
        assert (net.parameters == twin.parameters).all()
        """
    )


# ---- signals -------------------------------------------------------------------------------------
LONG = {
    "predict": "net.predict(X)",
    "predict into": "net.predict(X, out=np.empty((len(X), 4), np.float32))",
    "forward": "net.forward(X)",
    "loss": "net.loss(X, y)",
    "gradients": "net.gradients(X, y)",
    "vjp": "net.vjp(X, dY)",
    "train_batch": "net.train_batch(X, y, optimizer=opt)",
    "train_batch, penalised": "net.train_batch(X, y, optimizer=opt, l2=0.1, clip_norm=1)",
    "stack": "pymlp.NetworkStack([net, net.copy(), net.copy()]).fit(X, y, epochs=10, threads=2)",
    "stack of one": "pymlp.NetworkStack([net]).fit(X, y, epochs=10, threads=2)",
    "stack, full batch": "pymlp.NetworkStack([net, net.copy()]).fit("
    "X, y, epochs=10, batch_size=None, threads=2)",
    "stack, predict": "pymlp.NetworkStack([net, net.copy(), net.copy()]).predict(X)",
    "user loss": "net.gradients(X, y, loss=own_loss)",
    "fit": "net.fit(X, y, epochs=10)",
    "full batch": "net.fit(X, y, epochs=10, batch_size=None)",
    "validation": "net.fit(X[:64], y[:64], batch_size=None, validation=(X, y))",
    "lbfgs": "net.fit(X, y, optimizer='lbfgs')",
    "check_gradients": "net.check_gradients(X, y)",
    "diagnose": "pymlp.diagnose(net, X, y)",
    "many rows": "few = pymlp.Network([2, 3, 4]); few.fit(np.ones((6 * 10**6, 2), np.float32), "
    "np.ones((6 * 10**6, 4), np.float32), validation=0.1, epochs=5)",
    "wide initialiser": "pymlp.Network([2, 20 * 10**6], init='he_normal')",
    "orthogonal": "pymlp.Network([5000, 5000], init='orthogonal')",
    "orthogonal, one side short": "pymlp.Network([512, 20000], init='orthogonal')",
    "orthogonal, one side long": "pymlp.Network([40000, 513], init='orthogonal')",
}
WIDE = """
pymlp.set_num_threads(1)
net = pymlp.Network([512, 1024, 1024, 4], output="softmax", seed=0)
X = rng.normal(size=(20000, 512)).astype(np.float32)
y = rng.integers(0, 4, 20000)
dY = np.ones((20000, 4), np.float32)
sent = []

def send(number, after):
    def wait():
        time.sleep(after)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), number)
    threading.Thread(target=wait).start()
"""


@pytest.mark.slow
@pytest.mark.parametrize("work", LONG.values(), ids=LONG.keys())
def test_ctrl_c_ends_every_long_call_and_changes_nothing(work: str) -> None:
    # 100 ms are promised; a busy machine may take longer, but not as long as the call.
    run(
        WIDE
        + textwrap.dedent(
            f"""
            import scipy.optimize  # which L-BFGS would import: no part of the call

            if {work.startswith("net.train")}:
                before = net.parameters.copy()
            send(signal.SIGINT, 0.3)
            try:
                {work}
            except KeyboardInterrupt:
                late = time.perf_counter() - sent[0]
            else:
                sys.exit("the call ended")
            assert late < 0.4, late
            if {work.startswith("net.train")}:
                assert (net.parameters == before).all()
                assert opt.steps == 0
            net.predict(X[:10])
            net.train_batch(X[:10], y[:10], optimizer=pymlp.SGD(0.01))
            """
        )
    )


def test_a_handler_must_not_train_the_network_that_the_interrupted_call_reads() -> None:
    run(
        WIDE
        + textwrap.dedent(
            """
            def train(number, frame):
                net.train_batch(X[:8], y[:8], optimizer=opt)

            signal.signal(signal.SIGUSR1, train)
            before, X = net.parameters.copy(), np.repeat(X, 3, axis=0)
            send(signal.SIGUSR1, 0.1)
            try:
                net.predict(X)
            except RuntimeError as error:
                assert "a signal handler must not train" in str(error)
            else:
                sys.exit("it trained")
            assert (net.parameters == before).all()
            net.train_batch(X[:8], y[:8], optimizer=opt)
            """
        )
    )


def test_handlers_run_in_the_middle_of_a_call_and_may_raise() -> None:
    run(
        WIDE
        + textwrap.dedent(
            """
            class Stop(Exception):
                pass

            def stop(number, frame):
                raise Stop

            calls = []
            signal.signal(signal.SIGUSR1, lambda number, frame: calls.append(net.predict(X[0])))
            signal.signal(signal.SIGTERM, stop)
            send(signal.SIGUSR1, 0.1)
            send(signal.SIGTERM, 0.4)
            try:
                for _ in range(100):
                    net.gradients(X, y)
            except Stop:
                pass
            else:
                sys.exit("the handler's exception was lost")
            assert len(calls) == 1
            """
        )
    )


def test_signals_at_any_moment_leave_a_network_that_can_be_trained() -> None:
    run(
        """
        class Tick(Exception):
            pass

        def tick(number, frame):
            raise Tick

        signal.signal(signal.SIGALRM, tick)
        small = pymlp.Network([2, 3, 1], seed=0)
        Z, t = np.ones((8, 2)), np.ones(8)
        for round in range(400):
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 1e-5 + 1e-6 * round)
                    small.fit(Z, t, epochs=1)
                    small.train_batch(Z, t, optimizer=pymlp.SGD(0.01))
                    small.predict(Z)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except Tick:
                assert small.history is None or small.history.stopped_by != "running"
        signal.setitimer(signal.ITIMER_REAL, 0)
        small.fit(Z, t, epochs=1)
        """
    )


def test_signals_at_any_moment_leave_a_stack_that_can_be_trained() -> None:
    run(
        """
        class Tick(Exception):
            pass

        def tick(number, frame):
            raise Tick

        signal.signal(signal.SIGALRM, tick)
        small = pymlp.NetworkStack(pymlp.Network([2, 3, 1], seed=i) for i in range(4))
        Z, t = np.ones((8, 2)), np.ones(8)
        for round in range(400):
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 1e-5 + 3e-6 * round)
                    small.fit(Z, t, epochs=1, validation=(Z, t))
                    small.fit(Z, t, epochs=2, early_stopping=1, scale_target=True)
                    small.predict(Z)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except Tick:
                reasons = [history and history.stopped_by for history in small.histories]
                assert "running" not in reasons, reasons
        signal.setitimer(signal.ITIMER_REAL, 0)
        small.fit(Z, t, epochs=1)
        """
    )


def test_ctrl_c_keeps_networks_of_a_stack_that_were_ready() -> None:
    printed = run(
        """
        few = [pymlp.Network([32, 8, 4], output="softmax", seed=i) for i in range(3)]
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            # The rows of the last are so many that it is the one that is not ready.
            pymlp.NetworkStack(few).fit(
                [X[:64], X[:64], X], [y[:64], y[:64], y], epochs=20_000, threads=2
            )
        except KeyboardInterrupt:
            pass
        twin = pymlp.Network([32, 8, 4], output="softmax", seed=0)
        ready = few[0].history.stopped_by == "epochs"
        if ready:
            twin.fit(X[:64], y[:64], epochs=20_000)
            assert (twin.parameters == few[0].parameters).all()
        assert few[2].history.stopped_by == "interrupted"
        assert np.isfinite(few[2].parameters).all()
        print("done")
        """
    )
    assert printed == "done\n"


def test_faulthandler_shows_where_a_call_is() -> None:
    run(
        WIDE
        + textwrap.dedent(
            """
            import tempfile
            with tempfile.TemporaryFile() as file:
                faulthandler.dump_traceback_later(0.2, file=file)
                net.fit(X, y, epochs=10**6, max_seconds=0.5)
                faulthandler.cancel_dump_traceback_later()
                file.seek(0)
                assert b"in fit" in file.read()
            """
        )
    )
