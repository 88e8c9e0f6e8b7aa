"""Whether the Dockerfile can be built, as far as that can be told without building it."""

import re
import subprocess

from render import ROOT
import programs


def faults():
    linted = subprocess.run(["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    yield from linted.stdout.splitlines() + linted.stderr.splitlines()
    text = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", text, re.M))
    binaries = programs.read().binaries
    for options, sources in re.findall(r"^COPY ((?:--\S+ )*)(.+) \S+$", text, re.M):
        stage = re.search(r"--from=(\w+)", options)
        if stage and stage[1] not in stages:
            yield f"Dockerfile: there is no stage {stage[1]}"
        for source in sources.split():
            if not stage and not (ROOT / source).exists():
                yield f"Dockerfile: {source} is copied and does not exist"
    copied = re.findall(r"/src/target/release/(\S+)", text)
    if set(copied) != binaries or len(copied) != len(binaries):
        yield f"Dockerfile: it copies {sorted(copied)}, and the programs are {sorted(binaries)}"
    built = {"tandem" if name == "tandem-cli" else name for name in re.findall(r"-p (tandem-\w+)", text)}
    if built != binaries:
        yield f"Dockerfile: it builds {sorted(built)}, and the programs are {sorted(binaries)}"
    ignored = {line.strip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")}
    needed = ["Cargo.toml", "Cargo.lock", "proto", "libs", "services", "cli", *members()]
    for path in needed:
        if path.split("/")[0] in ignored:
            yield f".dockerignore: {path} is ignored, and nothing can be built without it"


def members():
    """Folders of the workspace: cargo reads the manifests of all of them."""
    listed = re.search(r"^members = \[(.*)\]", (ROOT / "Cargo.toml").read_text(), re.M)[1]
    return [member.strip('" *').rstrip("/") for member in listed.split(",")]
