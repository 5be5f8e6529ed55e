# SPDX-License-Identifier: Apache-2.0
"""Environments of the peers: Debian packages, Python environments, and C++ programs. A missing one is made on first
use; if that fails, its peers are left out for that reason."""

import functools
import pathlib
import subprocess
import sys

from systems import Failed, Peer

here = pathlib.Path(__file__).resolve().parent
root = here.parents[2]


def setup(words):
    """Runs functions of tools/setup.sh."""
    done = subprocess.run(["bash", "-c", f"source {root}/tools/setup.sh; {words}"], stdout=sys.stderr)
    if done.returncode != 0:
        raise Failed(f"`{words}` of tools/setup.sh did not work")


class Places:
    """The folder of each kind of peer, with bin/ in it; made if missing."""

    def __init__(self, folder):
        self.folder = folder.resolve()

    def of(self, peer):
        made = self.make(peer.place, peer.program if peer.place == "native" else None)
        if isinstance(made, Failed):
            raise made
        return made

    @functools.cache
    def make(self, place, program):
        try:
            return self.make_native(program) if place == "native" else self.make_python(place)
        except Failed as failed:
            return failed

    def make_python(self, name):
        requirements = here / ("requirements.txt" if name == "python" else f"requirements-{name}.txt")
        setup(f"make_python '{requirements}' '{self.folder / name}' --no-deps")
        return self.folder / name

    def make_native(self, program):
        setup(f"install_packages '{here / 'packages.txt'}'")
        folder = self.folder / "native"
        configure = ["cmake", "-S", here / "native", "-B", folder, "-G", "Ninja"]
        if program.startswith("libtorch_"):
            torch = self.of(Peer("", "torch", ""))
            configure += [f"-DTORCH={path}" for path in torch.glob("lib/python3*/site-packages/torch")]
        for command in configure, ["cmake", "--build", folder, "--target", program]:
            if subprocess.run(command, stdout=sys.stderr).returncode != 0:
                raise Failed(f"{program} does not build")
        return folder
