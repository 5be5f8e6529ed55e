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
x, y = map(torch.from_numpy, workload.data("mlp"))
y = y.long()
model = torch.nn.Sequential(torch.nn.Linear(784, 300), torch.nn.ReLU(), torch.nn.Linear(300, 100), torch.nn.ReLU(),
                            torch.nn.Linear(100, 10))
with torch.no_grad():
    for layer, (kernel, bias) in zip(model[::2], workload.glorot_uniform("mlp")):
        layer.weight.copy_(torch.from_numpy(kernel.T))
        layer.bias.copy_(torch.from_numpy(bias))
optimizer = {
    "sgd": lambda w: torch.optim.SGD(w, 0.01),
    "momentum": lambda w: torch.optim.SGD(w, 0.01, momentum=0.9),
}[options.optimizer](model.parameters())

seconds, losses = [], []
for _ in range(options.epochs + 1):
    start = time.perf_counter()
    loss_sum, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
    for rows in torch.randperm(len(x)).split(options.batch):
        labels = y[rows]
        logits = model(x[rows])
        loss = functional.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        hits += (logits.detach().argmax(1) == labels).sum()
    loss, accuracy = loss_sum.item() / len(x), hits.item() / len(x)
    seconds.append(time.perf_counter() - start)
    losses.append(loss)
workload.answer(seconds[1:], losses[0], f"PyTorch {torch.__version__}")
