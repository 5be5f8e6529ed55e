#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds per epoch of PyTorch in its usual eager form. Loss and accuracy stay tensors until the epoch ends."""

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


def make_linear(kernel, bias):
    linear = torch.nn.Linear(*kernel.shape)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(kernel.T))
        linear.bias.copy_(torch.from_numpy(bias))
    return linear


class Functional(torch.nn.Module):
    """wide_and_deep and two_outputs."""

    def __init__(self):
        super().__init__()
        self.h1, self.h2, *self.heads = [make_linear(*w) for w in workload.functional_weights(options)]
        self.heads = torch.nn.ModuleList(self.heads)
        self.activation = activation()

    def forward(self, x):
        wide, deep = x if options.model == "two_outputs" else (x, x)
        h = self.activation(self.h2(self.activation(self.h1(deep))))
        return [head(inputs) for head, inputs in zip(self.heads, [torch.cat([wide, h], dim=1), h])]


x, y = workload.data(options)
y = torch.from_numpy(y)
x = tuple(map(torch.from_numpy, x)) if isinstance(x, tuple) else torch.from_numpy(x)
if options.functional:
    model = Functional()
else:
    y = y.long()
    parts = []
    for kernel, bias in workload.glorot_uniform(options.widths):
        linear = make_linear(kernel, bias)
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
    for rows in torch.randperm(len(y)).split(options.batch):
        labels = y[rows]
        if options.functional:
            errors = [functional.mse_loss(out, labels)
                      for out in model(tuple(a[rows] for a in x) if isinstance(x, tuple) else x[rows])]
            loss = (errors[0] if len(errors) == 1
                    else workload.MAIN_WEIGHT * errors[0] + workload.AUX_WEIGHT * errors[1])
        else:
            logits = model(x[rows])
            loss = functional.cross_entropy(logits, labels) + sum(workload.L2 * w.square().sum() for w in kernels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        if options.functional:
            hits = hits + torch.stack([e.detach() for e in errors]) * len(rows)  # The loss of each output.
        else:
            hits += (logits.detach().argmax(1) == labels).sum()
    loss, accuracy = loss_sum.item() / len(y), (hits / len(y)).tolist()
    seconds.append(time.perf_counter() - start)
    losses.append(loss)
workload.answer(seconds[1:], losses[0], f"PyTorch {torch.__version__}")
