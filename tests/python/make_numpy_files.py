#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/data/numpy with the real NumPy: make_numpy_files.py FOLDER."""

import os
import sys

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
six = np.arange(6).reshape(2, 3) - 2
arrays = {
    # Files that we write byte for byte.
    "f32": six.astype("<f4") / 4,
    "f64": six.astype("<f8") / 4,
    "i32": six.astype("<i4"),
    "i64": six.astype("<i8"),
    "u8": np.array([0, 7, 255], "u1"),
    "bool": np.array([True, False, True]),
    "scalar": np.float32(1.5),
    "empty": np.zeros((0, 5), "<f4"),
    # Files that we read.
    "f16": (six / 4).astype("<f2"),
    "big_endian": (six / 4).astype(">f4"),
    "big_endian_i16": six.astype(">i2"),
    "fortran": np.asfortranarray(np.arange(24).reshape(2, 3, 4).astype("<i8")),
    "u16": np.array([0, 65535], "<u2"),
    "u32": np.array([0, 4294967295], "<u4"),
    "u64": np.array([0, 9223372036854775807], "<u8"),
    "u64_too_large": np.array([0, 9223372036854775808], "<u8"),
    "i8": np.array([-128, 127], "i1"),
    # Files that we refuse.
    "complex": np.array([1 + 2j]),
    "text": np.array(["a", "bc"]),
    "time": np.array(["2020-01-01"], "datetime64[D]"),
    "struct": np.zeros(2, [("a", "<f4"), ("b", "<i4")]),
}
for name, array in arrays.items():
    np.save(os.path.join(folder, name + ".npy"), array)
np.savez(os.path.join(folder, "stored.npz"), x=arrays["f32"], y=arrays["i64"])
np.savez_compressed(os.path.join(folder, "deflated.npz"), x=np.zeros((20, 30), "<f4"), y=arrays["u8"])
