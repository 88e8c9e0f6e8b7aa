"""What an overlay comes to: by kubectl or kustomize, or, where neither is installed, by kustomize.py."""

import pathlib
import re
import shutil
import subprocess
import sys

import yaml

import kustomize

ROOT = pathlib.Path(__file__).resolve().parents[2]
OVERLAYS = ROOT / "k8s" / "overlays"
RENDERERS = [["kubectl", "kustomize"], ["kustomize", "build"]]
HASH = re.compile(r"-[0-9a-z]{10}$")
# Lists whose order means nothing.
UNORDERED = {"containers": "name", "env": "name", "ports": "name", "volumes": "name", "volumeMounts": "mountPath"}


def overlays():
    return sorted(path.name for path in OVERLAYS.iterdir() if path.is_dir())


def render(overlay):
    """The objects of an overlay."""
    ours = kustomize.build(OVERLAYS / overlay)
    command = next((command for command in RENDERERS if shutil.which(command[0])), None)
    if not command:
        return ours
    done = subprocess.run([*command, str(OVERLAYS / overlay)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"k8s/overlays/{overlay} can't be rendered: {done.stderr.strip()}")
    theirs = [document for document in yaml.safe_load_all(done.stdout) if document]
    differences = list(differing(by_name(theirs), by_name(ours), overlay))
    if differences:
        sys.exit("\n".join([f"{command[0]} and tools/kubernetes/kustomize.py disagree:", *differences]))
    return theirs


def by_name(objects):
    """Comparable: without hashes, which kustomize makes in a way of its own, and without an order that means nothing."""
    named = {}
    for each in objects:
        name = each["metadata"]["name"]
        hashed = each["kind"] in ("ConfigMap", "Secret")
        if each["kind"] == "Secret":
            # Base64 is in lines, or in one.
            each = {**each, "data": {key: "".join(value.split()) for key, value in each["data"].items()}}
        named[f"{each['kind']} {HASH.sub('', name) if hashed else name}"] = plain(each)
    return named


def plain(value, field=""):
    if isinstance(value, dict):
        return {key: plain(each, key) for key, each in value.items() if each != {}}
    if isinstance(value, list):
        values = [plain(each) for each in value]
        by = UNORDERED.get(field)
        # The ports of a policy have no names, and an order.
        named = by and all(by in each for each in values)
        return sorted(values, key=lambda each: each[by]) if named else values
    if isinstance(value, str) and field in ("name", "secretName"):
        return HASH.sub("", value)
    return value


def differing(theirs, ours, path):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            yield from differing(theirs.get(key), ours.get(key), f"{path}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, pair in enumerate(zip(theirs, ours)):
            yield from differing(*pair, f"{path}[{index}]")
    elif theirs != ours:
        yield f"{path}: {theirs!r}, and {ours!r}"
