#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tables as people have them, and what pandas and scikit-learn read in them, to tests/data/tables.

    python tests/python/make_tables.py tests/data/tables

tests/runtime/load/table_test.cc reads the same files. Written with pandas 3.1.1 and scikit-learn 1.9.1.
"""

import pathlib
import sys

import numpy as np
import pandas as pd
from sklearn.datasets import dump_svmlight_file, load_svmlight_file
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

# Name: bytes, and how pandas reads them as numbers.
TABLES = {
    "extremes": (b"a,b\n1e-400,1e400\n-1e400,5e-324\n2.5,-0.1e-400\n1E3,.5\n", {}),
    "semicolons": ("\ufeffa;b\r\n1,5;-2,25\r\n\"3\";4e2\r\n".encode(), {"sep": ";", "decimal": ","}),
    "tabs": (b"a\tb c\t\"d,e\"\n1\t2\t3\n4\t5\t6\n", {"sep": "\t"}),
    "thousands": (b"a;b\n1,234,567.5;-2,000\n12;0.25\n", {"sep": ";", "thousands": ","}),
    "dots": (b"a;b\n1.234.567,5;-2.000\n12;0,25\n", {"sep": ";", "decimal": ",", "thousands": "."}),
    "missing": (b"a,b,c\n1,,3\nNA,5,6\n7,null,9\nnan,None,12\nN/A,n/a,15\nNULL,<NA>,18\n#N/A,NaN,21\n", {}),
    "no_names": (b"1,2\n3,4\n", {"header": None}),
    "quotes": (b'"a ""b""","c, d","e\nf"\n"1","2",3\n\n4,5,"6"\n', {}),
    "truth": (b"a,b\nTrue,1\nFalse,2\n", {}),
}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, (text, how) in TABLES.items():
        (folder / f"{name}.csv").write_bytes(text)
        table = pd.read_csv(folder / f"{name}.csv", **how)
        expected[name] = table.astype("float64").to_numpy()

    people = pd.DataFrame({"age": [31, 42, np.nan, 29, 55, 61], "town": ["Rome", "Bonn", "Oslo", "Rome", "Oslo", "Bonn"],
                           "size": [10, 9, 10, 100, 9, 9], "paid": [1.5, 2, 3.5, 4, np.nan, 7],
                           "kind": ["b", "a", "c", "b", "a", "a"]})
    people.to_csv(folder / "people.csv")
    dropped = people.dropna()
    inputs = [dropped[["age"]], OrdinalEncoder().fit_transform(dropped[["town"]]),
              OneHotEncoder(sparse_output=False).fit_transform(dropped[["size"]]), dropped[["paid"]]]
    expected["people_dropped"] = np.hstack(inputs)
    expected["people_kinds"] = pd.Categorical(dropped["kind"]).codes.astype("float64")
    filled = people[["age", "paid"]].fillna(people[["age", "paid"]].mean())
    expected["people_filled"] = filled.to_numpy()

    rng = np.random.default_rng(1)
    x = np.where(rng.random((6, 4)) < 0.5, 0, rng.integers(-8, 8, (6, 4)) / 4)
    x[0, 0] = 2  # So that an index of the first feature occurs.
    y = rng.integers(0, 3, 6)
    for base in (0, 1):
        path = folder / f"base{base}.libsvm"
        dump_svmlight_file(x, y, str(path), zero_based=base == 0, comment="of scikit-learn", query_id=np.arange(6))
        read, labels = load_svmlight_file(str(path), n_features=4)
        expected[f"base{base}_x"], expected[f"base{base}_y"] = read.toarray(), labels
    np.savez(folder / "expected.npz", **expected)


main(pathlib.Path(sys.argv[1]))
