# SPDX-License-Identifier: Apache-2.0
"""What is measured, in plain words (Job, Case, Peer), and how one measurement is made."""

import dataclasses
import json
import os
import pathlib
import subprocess
from collections.abc import Callable

LIMIT = 600  # Seconds that one measurement may take.

here = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    arguments: dict  # Of the peers' programs.
    benchmark: str  # fusebox's, up to its number of threads: "Epoch/sgd/batch:32".
    flops: float  # Of what one time is taken of.


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    place: str  # "python" or "torch", of which it is a script, or "native".
    program: str
    arguments: dict = dataclasses.field(default_factory=dict)
    variables: dict = dataclasses.field(default_factory=dict)
    takes: Callable = lambda case: True
    epochs: int = 1000  # At most; for those that are slow.


@dataclasses.dataclass(frozen=True)
class Job:
    what: str
    benchmark: str  # bench_<this> is fusebox's.
    cases: list
    peers: list
    calls: bool = False  # Short calls, many of which are timed together; else epochs.
    threads: bool = True  # With all cores, too.
    tolerance: float = 1e-3  # Of what they should agree on.


class Failed(Exception):
    """A measurement that cannot be had, and why."""


def measure(command, threads, variables={}):
    """What a program writes to stdout. It gets `threads` cores, and every library is told so in its own words."""
    # These two choose other kernels for OpenBLAS than it would choose itself.
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    for name in ["OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"]:
        environment[f"{name}_THREADS"] = str(threads)
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"} | variables
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    try:
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment, timeout=LIMIT, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    except subprocess.TimeoutExpired:
        raise Failed(f"took more than {LIMIT} s")
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if any(map(str.isalpha, line))]
        raise Failed(said[-1].strip() if said else f"exit code {done.returncode}")
    return done.stdout


def run_benchmark(build, name, arguments, threads):
    """The runs of one of fusebox's benchmarks, as Google Benchmark tells them."""
    command = [build / f"bin/bench_{name}", "--benchmark_format=json", *arguments]
    runs = json.loads(measure(command, threads))["benchmarks"]
    for run in runs:
        if run.get("error_occurred"):
            raise Failed(f"bench_{name}: {run['error_message']}")
    return [run for run in runs if run["run_type"] == "iteration"]


def run_fusebox(options, job, case, threads):
    repeat = [5, options.seconds] if job.calls else [options.epochs, 0]
    runs = run_benchmark(options.build, job.benchmark, [
        f"--benchmark_filter=^{case.benchmark}{f'/threads:{threads}' if job.threads else ''}/",
        f"--benchmark_repetitions={repeat[0]}", f"--benchmark_min_time={repeat[1]}"], threads)
    if not runs:
        raise Failed(f"bench_{job.benchmark} knows no {case.benchmark} on {threads} threads")
    unit = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    return {"seconds": [run["real_time"] * unit[run["time_unit"]] for run in runs],
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
    return json.loads(measure(program + words, threads, peer.variables).splitlines()[-1])


def peak_flops(options, threads):
    """Operations a second of the vector units, on so many threads: of many short runs, one that nobody disturbed."""
    runs = run_benchmark(options.build, "peak", [f"--benchmark_filter=/threads:{threads}/",
                                                 "--benchmark_repetitions=50", "--benchmark_min_time=0.005"], threads)
    return max(run["FLOPS"] for run in runs)
