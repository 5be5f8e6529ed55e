#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds an epoch of PyTorch as most people write it, eagerly. Loss and accuracy stay tensors until the epoch ends."""

import time

import workload

options = workload.options(__doc__)

import torch
from torch.nn import functional

torch.set_num_threads(options.threads)
torch.manual_seed(42)
activation = workload.choose("torch_train.py", "activation", options.activation, {
    "relu": torch.nn.ReLU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "gelu": torch.nn.GELU,
    "softplus": torch.nn.Softplus,
})
extra = workload.choose("torch_train.py", "layer", options.extra, {
    "none": lambda units: [],
    "l2": lambda units: [],
    "dropout": lambda units: [torch.nn.Dropout(0.2)],
    "batch_norm": lambda units: [torch.nn.BatchNorm1d(units)],
})
x, y = map(torch.from_numpy, workload.data(options))
y = y.long()
parts = []
for kernel, bias in workload.glorot_uniform(options.widths):
    linear = torch.nn.Linear(*kernel.shape)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(kernel.T))
        linear.bias.copy_(torch.from_numpy(bias))
    parts += [linear, activation(), *extra(len(bias))]
model = torch.nn.Sequential(*parts[:parts.index(linear) + 1])
optimizer = workload.choose("torch_train.py", "optimizer", options.optimizer, {
    "sgd": lambda w: torch.optim.SGD(w, 0.01),
    "momentum": lambda w: torch.optim.SGD(w, 0.01, momentum=0.9),
    "nesterov": lambda w: torch.optim.SGD(w, 0.01, momentum=0.9, nesterov=True),
    "adam": lambda w: torch.optim.Adam(w, 0.001, eps=1e-7),
    "rmsprop": lambda w: torch.optim.RMSprop(w, 0.001, alpha=0.9, eps=1e-7),
    "adamw": lambda w: torch.optim.AdamW(w, 0.001, eps=1e-7, weight_decay=0.004),
})(model.parameters())
kernels = [w for w in model.parameters() if w.dim() == 2] if options.extra == "l2" else []

seconds, losses = [], []
for _ in range(options.epochs + 1):
    start = time.perf_counter()
    loss_sum, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    for rows in torch.randperm(len(x)).split(options.batch):
        labels = y[rows]
        logits = model(x[rows])
        loss = functional.cross_entropy(logits, labels) + sum(workload.L2 * w.square().sum() for w in kernels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        hits += (logits.detach().argmax(1) == labels).sum()
    loss, accuracy = loss_sum.item() / len(x), hits.item() / len(x)
    seconds.append(time.perf_counter() - start)
    losses.append(loss)
workload.answer(seconds[1:], losses[0], f"PyTorch {torch.__version__}")
