#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command, and writes its peak memory, in MB, as the last line of stderr."""

import resource
import subprocess
import sys

done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6, file=sys.stderr)
sys.exit(done.returncode)
