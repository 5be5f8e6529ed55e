# SPDX-License-Identifier: Apache-2.0
import dataclasses

from systems import JAX, KERAS, Case, Job

JOB = Job(
    what="the most memory of a process that trains 784 - 300 - 100 - 10, without the 173 MB of its data",
    benchmark="training",
    # The data are noise, generated in place by all systems: unpacking real images takes extra memory for a moment.
    cases=[Case(f"batch {batch}", {"batch": batch}, f"Epoch/sgd/batch:{batch}", 0) for batch in [32, 4096]],
    peers=[dataclasses.replace(peer, variables=peer.variables | {"FUSEBOX_DATA_DIR": "/nonexistent"})
           for peer in [JAX, KERAS]],
    variables={"FUSEBOX_DATA_DIR": "/nonexistent"},
    all_cores=True,
    unit="MB",
    less=55000 * (784 + 1) * 4 / 1e6,
    tolerance=0.1,
)
