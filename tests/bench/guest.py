# SPDX-License-Identifier: BSD-2-Clause
"""bsdvm-bench in a guest that counts instructions."""

import argparse
import glob
import json
import lzma
import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
OUT = os.path.join(TOP, "build", "bench")
BENCH = os.path.join(TOP, "build", "user", "bench")
PROGRAM = os.path.join(BENCH, "bsdvm-bench")
LOCKS = os.path.join(BENCH, "bsdvm-locks")
LOOPS = os.path.join(OUT, "bsdvm_bench.ko")

# A GiB for each peer, the page tables of native Linux's, and what Linux needs.
POOL_MB = 1152
MEM_MB = 2560
SECONDS = 1800

# What of Debian's the guest needs: a program, and modules that its initramfs has not.
MKFS = "/sbin/mkfs.ext4"
DRIVERS = ("brd", "crc32c_generic")

# Words for the kernel's command line.
CONFIGS = {"A": "", "B": "mitigations=off init_on_alloc=0"}


def argument_parser(text):
    """A parser whose --help is text, whose third line is the usage."""
    class Help(argparse.Action):
        """Print the text, untouched."""

        def __call__(self, *_):
            print(text.strip())
            sys.exit(0)

    usage = text.splitlines()[2].removeprefix("Usage: ").replace("%", "%%")
    parser = argparse.ArgumentParser(usage=usage, add_help=False)
    parser.add_argument("-h", "--help", nargs=0, action=Help)
    return parser


def keep_module(kernel, ko):
    """A copy of the module, and of the benchmarks' beside it, so that all boots load the same."""
    os.makedirs(OUT, exist_ok=True)
    ko = ko or os.path.join(TOP, "build", kernel, "bsdvm.ko")
    copy = os.path.join(OUT, "bsdvm.ko")
    shutil.copyfile(ko, copy)
    shutil.copyfile(os.path.join(os.path.dirname(ko), "bsdvm_bench.ko"), LOOPS)
    return copy


def drivers(kernel):
    """The modules a benchmark loads, as the guest can load them; not those built in."""
    tree = subprocess.run([os.path.join(TOP, "scripts", "kernel"), kernel, "modules"],
                          check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    copies = []
    for name in DRIVERS:
        found = glob.glob(os.path.join(tree, f"lib/modules/*/kernel/**/{name}.ko*"),
                          recursive=True)
        if not found:
            continue
        copies.append(os.path.join(OUT, f"{name}.ko"))
        opener = lzma.open if found[0].endswith(".xz") else open
        with opener(found[0], "rb") as source, open(copies[-1], "wb") as target:
            shutil.copyfileobj(source, target)
    return copies


def boot(kernel, config, module, arguments, environment=None):
    """Run bsdvm-bench with these arguments; what it wrote to stdout.

    What it says of its progress goes to our stderr. Raises CalledProcessError.
    """
    command = [os.path.join(TOP, "scripts", "vm"), "--kernel", kernel, "--icount",
               "--mem", str(MEM_MB), "--timeout", str(SECONDS),
               "--module-args", f"pool_mb={POOL_MB}", "--ko", module]
    if CONFIGS[config]:
        command += ["--append", CONFIGS[config]]
    for file in (MKFS, LOOPS, *drivers(kernel)):
        command += ["--file", file]
    environment = {**(environment or os.environ), "TEST_DRIVERS": OUT}
    command += ["--", PROGRAM, *arguments]
    return subprocess.run(command, cwd=TOP, env=environment, check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def boot_locks(module):
    """Run bsdvm-locks in the debug kernel, on four CPUs; what it wrote to stdout."""
    command = [os.path.join(TOP, "scripts", "vm"), "--kernel", "debug", "--smp", "4",
               "--no-kmemleak", "--append", "kmemleak=off no_debug_objects",
               "--timeout", str(SECONDS), "--module-args", "pool_mb=64", "--ko", module,
               "--", LOCKS]
    return subprocess.run(command, cwd=TOP, check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def parse(text):
    """The JSON in what bsdvm-bench wrote."""
    return json.loads(text[text.index("{"):])
