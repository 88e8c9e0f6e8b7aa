#!/usr/bin/env python3
"""Audits the dependencies offline: what can be known from the lock file and the crates' own manifests.

Refused are: a licence that deny.toml does not allow, a crate from anywhere but the package registry or this
workspace, a requirement without a version. Crates in several versions are reported. Known vulnerabilities need a
database from the network and are not looked for.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

try:
    import tomllib
except ImportError:  # before Python 3.11; pip carries its own copy
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent


def metadata():
    """The resolved dependency graph; what is built on this platform alone if nothing else can be had offline."""
    host = re.search(r"host: (\S+)", subprocess.check_output(["rustc", "-vV"], text=True)).group(1)
    everywhere = "all platforms"
    for scope, options in [(everywhere, ["--offline"]), (everywhere, []), (host, ["--offline", "--filter-platform", host])]:
        command = ["cargo", "metadata", "--format-version=1", "--locked", *options]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if run.returncode == 0:
            return json.loads(run.stdout), scope
    sys.exit(f"audit: {' '.join(command)} failed:\n{run.stderr}")


def allowed(expression, licences):
    """Whether an SPDX expression can be met by `licences` alone. AND binds tighter than OR; "/" is an old OR."""
    tokens = re.findall(r"[()/]|[^\s()/]+(?:\s+WITH\s+[^\s()/]+)?", expression)

    def either():
        met = both()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one():
        token = tokens.pop(0)
        if token != "(":
            return token in licences
        met = either()
        tokens.pop(0)
        return met

    return either()


def main():
    licences = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    graph, scope = metadata()
    resolved = {node["id"] for node in graph["resolve"]["nodes"]}
    packages = [package for package in graph["packages"] if package["id"] in resolved]
    faults, versions = [], defaultdict(set)
    for package in packages:
        crate = f"{package['name']} {package['version']}"
        versions[package["name"]].add(package["version"])
        if not allowed(package["license"] or "none", licences):
            faults.append(f"{crate}: licence {package['license']!r} is not allowed by deny.toml")
        local = package["source"] is None and ROOT in Path(package["manifest_path"]).parents
        if not local and not (package["source"] or "").startswith("registry+"):
            faults.append(f"{crate}: comes from {package['source'] or package['manifest_path']}, not from the registry")
        if local:
            for need in package["dependencies"]:
                if need["req"] == "*" and not need.get("path"):
                    faults.append(f"{crate}: requires {need['name']} without a version")
    registries = {package["source"] for package in packages if package["source"]}
    if len(registries) > 1:
        faults.append(f"one registry only: found {', '.join(sorted(registries))}")
    several = {name: found for name, found in versions.items() if len(found) > 1}
    for name, found in sorted(several.items()):
        print(f"audit: note: {name} in several versions: {', '.join(sorted(found))}")
    for fault in sorted(faults):
        print(f"audit: {fault}", file=sys.stderr)
    print(f"audit: {len(packages)} crates ({scope}), {len(several)} in several versions, {len(faults)} refused")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
