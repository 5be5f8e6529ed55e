# SPDX-License-Identifier: Apache-2.0
from systems import Case, Job, Peer


def case(model, benchmark, batch, weights):
    name = {"mlp": "784 - 300 - 100 - 10", "tiny": "8 - 30 - 30 - 1"}[model]
    return Case(f"{name}, batch {batch}", {"model": model, "batch": batch}, f"{benchmark}/rows:{batch}",
                2 * batch * weights)


JOB = Job(
    what="a forward call on arrays of the caller's",
    benchmark="inference",
    cases=[case("mlp", "Forward", batch, 784 * 300 + 300 * 100 + 100 * 10) for batch in [1, 32, 1024]] +
    [case("tiny", "TinyForward", 1, 8 * 30 + 30 * 30 + 30)],
    peers=[
        Peer("oneDNN, packed weights", "native", "onednn_infer"),
        Peer("ONNX Runtime, from Python", "python", "onnxruntime_infer.py"),
    ],
    calls=True,
)
