"""Where runs are computed: here, in processes, on a Dask cluster, under MPI, or on an Executor of one's own.

All are ``concurrent.futures`` executors, and the runner treats them alike. What differs is how one
is started, how many workers it has, and how it is started again after a worker died.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from typing import Any

from sim.process import uninterrupted
from sim.schema import InvalidInput

KINDS = ("serial", "processes", "dask", "mpi")
#: Seconds within which a scheduler must answer.
ANSWERS = 20


class Serial(Executor):
    """Computes in this process, when asked to."""

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Call ``fn`` at once; returns its finished future."""
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Workers:
    """An executor that can be started, and started again.

    Args:
        kind: one of :data:`KINDS`.
        count: workers; 0 for one per core.
        address: of a Dask scheduler, or empty.
        given: an Executor of the caller's instead.

    Attributes:
        seconds: how long runs were computed so far, starting the workers not counted.
    """

    def __init__(self, kind: str = "serial", count: int = 0, address: str = "", given: Executor | None = None) -> None:
        if kind not in KINDS:
            raise InvalidInput("executor.kind", kind, "one of " + ", ".join(KINDS))
        self.kind, self.address, self.given = "given" if given else kind, address, given
        self.count = 1 if kind == "serial" and not given else count or os.cpu_count() or 1
        self.seconds = 0.0
        self._executor: Executor | None = None
        self._client: Any = None
        self._close: list[Callable[[], Any]] = []

    def __enter__(self) -> Workers:
        try:
            self.start()
        except BaseException:
            self.stop(wait=False)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self.stop(wait=kind is None)

    def submit(self, fn: Callable, /, *args: Any) -> Future:
        """Hand a task to a worker."""
        if self._executor is None:
            raise RuntimeError("the workers were not started")
        return self._executor.submit(fn, *args)

    def draw(self, fn: Callable, /, *args: Any) -> Callable[[], Any]:
        """Have a picture drawn by a worker, where workers are processes of this machine, with its libraries and fonts.

        Returns what waits for the picture; it draws it itself where no worker does, or where that worker was killed.
        """
        here = partial(fn, *args)
        if self.kind != "processes":
            return here
        try:
            future = self.submit(here)
        except BrokenExecutor:
            return here

        def wait() -> Any:
            try:
                return future.result()
            except BrokenExecutor:
                return here()

        return wait

    def restart(self, count: int = 0) -> None:
        """After a worker's death broke the pool: a new one, of ``count`` workers if that is not 0."""
        if self.given is not None:
            raise InvalidInput("executor", type(self.given).__name__, "an executor that outlives a dead worker; start again to go on")
        if self.kind == "processes":
            self.stop(wait=False)
            self._processes(count or self.count)

    def start(self) -> None:
        """Start the workers; an executor that is running stays."""
        if self._executor is not None:
            return
        if self.given is not None:
            self._executor = self.given
            self.count = getattr(self.given, "_max_workers", None) or self.count
        elif self.kind == "serial":
            self._executor = Serial()
        elif self.kind == "processes":
            self._processes(self.count)
        elif self.kind == "dask":
            self._dask()
        else:
            self._mpi()

    def prime(self) -> None:
        """Start the workers and wait until they answer, so that what follows is computing only."""
        self.start()
        for future in [self.submit(time.sleep, 0.02) for _ in range(2 * self.count)]:
            future.result()

    def check(self) -> None:
        """Raise where no worker is left that could ever finish anything."""
        if self.kind == "dask" and not self._client.scheduler_info()["workers"]:
            try:
                self._client.wait_for_workers(1, timeout=60)
            except TimeoutError:
                raise InvalidInput(
                    "executor.kind", "dask", "a cluster with workers: none came back for a minute; start again to go on"
                ) from None

    def stop(self, wait: bool = True) -> None:
        """Stop what was started here."""
        executor, self._executor = self._executor, None
        if executor is not None and self.given is None:
            if self.kind == "processes":
                executor.shutdown(wait=True, kill_workers=not wait)  # type: ignore[call-arg]
            else:
                executor.shutdown(wait=wait)
        for close in reversed(self._close):
            close()
        self._close = []

    def _processes(self, count: int) -> None:
        from loky.backend import get_context
        from loky.process_executor import ProcessPoolExecutor

        # Forked workers inherit imports and compiled code: they start in a tenth of a second instead of five.
        forks = sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()
        warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*fork.*should not be used with.*loky", category=UserWarning)
        self._executor = ProcessPoolExecutor(count, context=get_context("fork" if forks else "loky"), initializer=initialise)

    def _dask(self) -> None:
        import dask
        from distributed import Client, LocalCluster

        if self.address:
            try:
                client = Client(self.address, timeout=ANSWERS, set_as_default=False)
            except (OSError, ValueError, TypeError) as error:
                raise InvalidInput(
                    "executor.address", self.address, f"a scheduler that answers within {ANSWERS} s ({type(error).__name__})"
                ) from None
            self.count = sum(client.nthreads().values()) or 1
        else:
            settings = {
                "distributed.scheduler.allowed-failures": 0,  # the runner finds out itself which run it was
                "distributed.worker.memory.terminate": False,
                "distributed.worker.profile.enabled": False,  # it would look at every worker a hundred times a second
                "distributed.admin.tick.interval": "1s",
                "distributed.admin.system-monitor.interval": "5s",
                "distributed.scheduler.work-stealing": False,
                "distributed.scheduler.active-memory-manager.start": False,
                # without its MALLOC_TRIM_THRESHOLD_, with which every run asks the system for its memory again
                "distributed.nanny.pre-spawn-environ": dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1),
            }
            with uninterrupted(), dask.config.set(settings):
                cluster = LocalCluster(
                    n_workers=self.count, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50, memory_limit=0
                )
            cluster.adapt(minimum=self.count, maximum=self.count)  # a worker that died as it started is replaced
            self._close.append(cluster.close)
            client = Client(cluster, set_as_default=False)
        self._close.append(client.close)
        self._client = client
        self._executor = client.get_executor(pure=False)

    def _mpi(self) -> None:
        try:
            from mpi4py import MPI
            from mpi4py.futures import MPIPoolExecutor
        except ImportError as error:
            raise InvalidInput("executor.kind", "mpi", f"an installation with the extra «mpi» ({error})") from None
        self.count = MPI.COMM_WORLD.Get_size() - 1
        if self.count < 1:
            raise InvalidInput(
                "executor.kind", "mpi", "two ranks or more: mpiexec -n 5 python -m mpi4py.futures -m experiments.sweep executor=mpi"
            )
        self._executor = MPIPoolExecutor()


def initialise() -> None:
    """In a worker: Ctrl-C and a closed terminal are the parent's affair, SIGTERM ends it, as does its parent's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(getattr(signal, "SIGHUP", signal.SIGINT), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def from_settings(settings: Any) -> Workers:
    """Workers from the configuration group ``executor``."""
    if not isinstance(settings, Mapping):
        raise InvalidInput("executor", settings, "a mapping")
    kind, count, address = settings.get("kind", "serial"), settings.get("workers", 0), settings.get("address", "")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 1024:
        raise InvalidInput("executor.workers", count, "a whole number from 0 to 1024")
    if not isinstance(address, str):
        raise InvalidInput("executor.address", address, "a text such as tcp://10.0.0.1:8786")
    return Workers(kind, count, address)
