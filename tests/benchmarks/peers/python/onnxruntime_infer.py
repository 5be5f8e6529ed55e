#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds per call of ONNX Runtime, with input and output bound once to the caller's arrays. Its Python package has no
headers, so calls are made from Python, which adds a microsecond or more to each."""

import time

import workload

options = workload.options(__doc__)

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

widths = workload.WIDTHS[options.model]
nodes, weights, value = [], [], "x"
for layer, (kernel, bias) in enumerate(workload.spread_weights(options.model)):
    weights += [numpy_helper.from_array(kernel, f"w{layer}"), numpy_helper.from_array(bias, f"b{layer}")]
    nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [f"z{layer}"]))
    value = f"z{layer}"
    if layer < 2:
        nodes.append(helper.make_node("Relu", [value], [f"a{layer}"]))
        value = f"a{layer}"
if options.model == "mlp":
    nodes.append(helper.make_node("Softmax", [value], ["y"], axis=1))
else:
    nodes[-1].output[0] = "y"
describe = lambda name, width: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [options.batch, width])
graph = helper.make_graph(nodes, "net", [describe("x", widths[0])], [describe("y", widths[-1])], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
settings.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
x = workload.spread((options.batch, widths[0]), 1, 1)
y = np.zeros((options.batch, widths[-1]), np.float32)
binding = session.io_binding()
binding.bind_input("x", "cpu", 0, np.float32, x.shape, x.ctypes.data)
binding.bind_output("y", "cpu", 0, np.float32, y.shape, y.ctypes.data)


def seconds_of(calls):
    start = time.perf_counter()
    for _ in range(calls):
        session.run_with_iobinding(binding)
    return time.perf_counter() - start


calls = 1
while (took := seconds_of(calls)) < options.seconds / 5:  # Warms up, too.
    calls *= 2
calls = max(1, int(calls * options.seconds / took))
seconds = [seconds_of(calls) / calls for _ in range(5)]
workload.answer(seconds, workload.digest(y), f"ONNX Runtime {onnxruntime.__version__}, from Python")
