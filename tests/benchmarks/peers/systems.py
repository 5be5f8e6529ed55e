# SPDX-License-Identifier: Apache-2.0
"""Describes the measurements (Job, Case, Peer), and makes single ones."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

LIMIT = 600  # Seconds that one measurement may take.

here = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    arguments: dict  # Of the peers' programs.
    benchmark: str  # fusebox's, up to its number of threads: "Epoch/sgd/batch:32".
    flops: float  # Of one timed unit.
    busy: bool = False  # While another process keeps one of the cores busy.


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    place: str  # "python" or "torch" for a script in that environment, or "native".
    program: str
    arguments: dict = dataclasses.field(default_factory=dict)
    variables: dict = dataclasses.field(default_factory=dict)
    takes: Callable = lambda case: True
    epochs: int = 1000  # Maximum, for slow peers.


@dataclasses.dataclass(frozen=True)
class Job:
    what: str
    benchmark: str  # bench_<this> is fusebox's.
    cases: list
    peers: list
    calls: bool = False  # Short calls, timed in groups; otherwise epochs.
    threads: bool = True  # With all cores, too.
    all_cores: bool = False  # Only with all cores.
    versus: str = ""  # Compares each system with itself: on other "threads", or in the case of this name.
    unit: str = "s"  # Or "MB": peak memory,
    less: float = 0  # minus this many.
    variables: dict = dataclasses.field(default_factory=dict)  # Of fusebox's benchmark.
    tolerance: float = 1e-3  # Of the number on which systems should agree.


class Failed(Exception):
    """A measurement that is not possible, and the reason."""


def openblas_core():
    """Debian's OpenBLAS falls back to its oldest kernels, for SSE3, on newer processors: these are fair there."""
    flags = set()
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                flags = set(line.split())
                break
    core = "SkylakeX" if {"avx512f", "avx512bw", "avx512vl"} <= flags else "Haswell" if "avx2" in flags else None
    return {"OPENBLAS_CORETYPE": core} if core else {}


# Peers that train, with the arguments of `Case.arguments`. The data of tiny and random networks are synthetic.
JAX = Peer("JAX, lax.scan", "python", "jax_train.py")
LIBTORCH = Peer("LibTorch", "native", "libtorch_train")
PYTORCH = Peer("PyTorch, eager", "torch", "torch_train.py")
KERAS = Peer("Keras on TensorFlow", "python", "keras_train.py", variables={"KERAS_BACKEND": "tensorflow"}, epochs=2)


def training_flops(widths):
    """Operations of fully connected layers per row: forward and both gradients, without the gradient of the input."""
    pairs = list(zip(widths, widths[1:]))
    return 6 * sum(a * b for a, b in pairs) - 2 * widths[0] * widths[1]


@contextlib.contextmanager
def busy_core(core):
    """Keeps the core busy with another process meanwhile."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                 preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def measure(command, threads, variables={}, busy=False):
    """Runs a program and returns its stdout and stderr. It gets `threads` cores, and the variables that tell every
    library so."""
    # These two variables would make OpenBLAS choose other kernels than by itself.
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    for name in ["OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"]:
        environment[f"{name}_THREADS"] = str(threads)
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"} | variables
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    try:
        with busy_core(cores[-1]) if busy else contextlib.nullcontext():
            done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env=environment, timeout=LIMIT, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    except subprocess.TimeoutExpired:
        raise Failed(f"took more than {LIMIT} s")
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if any(map(str.isalpha, line))]
        raise Failed(said[-1].strip() if said else f"exit code {done.returncode}")
    return done.stdout, done.stderr


def measure_for(job, case, command, threads, variables):
    """Like measure. The second result is the peak memory if the unit of the job asks for it, else None."""
    if job.unit != "MB":
        return measure(command, threads, variables, case.busy)[0], None
    output, errors = measure([sys.executable, here / "peak_memory.py", *command], threads, variables, case.busy)
    return output, float(errors.splitlines()[-1]) - job.less


def iterations(output, name):
    """The runs of Google Benchmark, from its JSON."""
    runs = json.loads(output)["benchmarks"]
    for run in runs:
        if run.get("error_occurred"):
            raise Failed(f"bench_{name}: {run['error_message']}")
    return [run for run in runs if run["run_type"] == "iteration"]


def benchmark_command(build, name, *arguments):
    return [build / f"bin/bench_{name}", "--benchmark_format=json", *arguments]


def run_fusebox(options, job, case, threads):
    repeat = [5, options.seconds] if job.calls else [options.epochs, 0]
    command = benchmark_command(
        options.build, job.benchmark,
        f"--benchmark_filter=^{case.benchmark}{f'/threads:{threads}' if job.threads else ''}/",
        f"--benchmark_repetitions={repeat[0]}", f"--benchmark_min_time={repeat[1]}")
    output, memory = measure_for(job, case, command, threads, job.variables)
    runs = iterations(output, job.benchmark)
    if not runs:
        raise Failed(f"bench_{job.benchmark} knows no {case.benchmark} on {threads} threads")
    unit = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    seconds = [run["real_time"] * unit[run["time_unit"]] for run in runs]
    return {"values": seconds if memory is None else [memory],
            "check": runs[0]["digest" if job.calls else "loss"], "version": "fusebox"}


def run_peer(places, options, job, peer, case, threads):
    folder = places.of(peer)
    if peer.place == "native":
        program = [folder / "bin" / peer.program]
    else:
        program = [folder / "bin/python", here / "python" / peer.program]
    arguments = case.arguments | peer.arguments | {"threads": threads}
    arguments |= {"seconds": options.seconds} if job.calls else {"epochs": min(options.epochs, peer.epochs)}
    words = [str(word) for name, value in arguments.items() for word in (f"--{name}", value)]
    output, memory = measure_for(job, case, program + words, threads, peer.variables)
    result = json.loads(output.splitlines()[-1])
    seconds = result.pop("seconds")
    return result | {"values": seconds if memory is None else [memory]}


def peak_flops(options, threads):
    """Operations per second of the vector units on this many threads: the best of many short runs."""
    command = benchmark_command(options.build, "peak", f"--benchmark_filter=/threads:{threads}/",
                                "--benchmark_repetitions=50", "--benchmark_min_time=0.005")
    return max(run["FLOPS"] for run in iterations(measure(command, threads)[0], "peak"))
