"""Renders an overlay where neither kubectl nor kustomize is installed: as much of kustomize as k8s/ uses.

What it does not know it refuses, so that nothing is left out in silence. Where kubectl is installed, check.py compares what
both come to.
"""

import base64
import copy
import hashlib
import json

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "resources", "nameSuffix", "labels", "patches", "images", "configMapGenerator", "secretGenerator"}
CLUSTER = {"Namespace"}
# Lists that a patch merges, by the field that tells the elements apart; others it replaces.
KEYS = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
}


class Unsupported(Exception):
    """Something of kustomize that is not known here."""


def build(folder):
    """The objects of a kustomization, with the names that generated ones have got."""
    objects = Build(folder).objects
    return [each for each, _ in with_hashes(objects)]


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.spec = yaml.safe_load((folder / "kustomization.yaml").read_text())
        if unknown := self.spec.keys() - KNOWN:
            raise Unsupported(f"{folder}: {sorted(unknown)}")
        self.objects = []
        for resource in self.spec.get("resources", []):
            path = (folder / resource).resolve()
            if path.is_dir():
                self.objects += Build(path).objects
            else:
                self.objects += [(each, False) for each in yaml.safe_load_all(path.read_text()) if each]
        for kind, field in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
            for generator in self.spec.get(field, []):
                self.generate(kind, generator)
        for patch in self.spec.get("patches", []):
            self.patch(patch)
        self.suffix(self.spec.get("nameSuffix", ""))
        for label in self.spec.get("labels", []):
            for each, _ in self.objects:
                add_labels(each, label)
        if namespace := self.spec.get("namespace"):
            for each, _ in self.objects:
                if each["kind"] not in CLUSTER:
                    each["metadata"]["namespace"] = namespace
        for image in self.spec.get("images", []):
            for each, _ in self.objects:
                for container in pod(each).get("containers", []):
                    if container["image"] == image["name"]:
                        container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"

    def generate(self, kind, generator):
        data = {}
        for file in generator.get("envs", []):
            lines = (line.strip() for line in (self.folder / file).read_text().splitlines())
            data.update(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        data.update(literal.split("=", 1) for literal in generator.get("literals", []))
        for file in generator.get("files", []):
            key, _, path = file.rpartition("=")
            data[key or path] = (self.folder / path).read_text()
        if kind == "Secret":
            data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        if generator.get("behavior") == "merge":
            (found,) = (each for each, _ in self.objects if (each["kind"], each["metadata"]["name"]) == (kind, generator["name"]))
            found["data"].update(data)
            return
        made = {"apiVersion": "v1", "kind": kind, "metadata": {"name": generator["name"]}, "data": data}
        self.objects.append(({**made, "type": "Opaque"} if kind == "Secret" else made, True))

    def patch(self, entry):
        text = entry.get("patch") or (self.folder / entry["path"]).read_text()
        for patch in yaml.safe_load_all(text):
            if isinstance(patch, list):
                targets = [each for each, _ in self.objects if each["kind"] == entry["target"]["kind"]]
            elif "target" in entry:
                targets = [each for each, _ in self.objects if each["kind"] == entry["target"]["kind"]]
                patch = {key: value for key, value in patch.items() if key != "metadata"}
            else:
                wanted = patch["kind"], patch["metadata"]["name"]
                targets = [each for each, _ in self.objects if (each["kind"], each["metadata"]["name"]) == wanted]
            if not targets:
                raise Unsupported(f"{self.folder}: a patch has no target: {entry}")
            for target in targets:
                if isinstance(patch, list):
                    for operation in patch:
                        replace(target, operation)
                else:
                    merge(target, patch)

    def suffix(self, suffix):
        renamed = {(each["kind"], each["metadata"]["name"]) for each, _ in self.objects} if suffix else set()
        for each, _ in self.objects:
            if not suffix:
                continue
            each["metadata"]["name"] += suffix
            if ("ServiceAccount", pod(each).get("serviceAccountName")) in renamed:
                pod(each)["serviceAccountName"] += suffix
            target = each.get("spec", {}).get("scaleTargetRef", {})
            if (target.get("kind"), target.get("name")) in renamed:
                target["name"] += suffix


def pod(each):
    template = each.get("spec", {}).get("template", {})
    return template.get("spec", {}) if isinstance(template, dict) else {}


def add_labels(each, label):
    pairs = label["pairs"]
    each["metadata"].setdefault("labels", {}).update(pairs)
    selectors = label.get("includeSelectors", False)
    spec = each.get("spec", {})
    if pod(each) and (selectors or label.get("includeTemplates")):
        spec["template"].setdefault("metadata", {}).setdefault("labels", {}).update(pairs)
    if not selectors:
        return
    if each["kind"] == "Service":
        spec.setdefault("selector", {}).update(pairs)
    elif each["kind"] in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
        spec["selector"].setdefault("matchLabels", {}).update(pairs)
    for constraint in pod(each).get("topologySpreadConstraints", []):
        constraint["labelSelector"]["matchLabels"].update(pairs)


def replace(target, operation):
    if operation["op"] != "replace":
        raise Unsupported(f"operation {operation['op']}")
    *path, last = operation["path"].strip("/").split("/")
    for step in path:
        target = target[int(step)] if isinstance(target, list) else target[step]
    if last not in target:
        raise Unsupported(f"nothing to replace at {operation['path']}")
    target[last] = copy.deepcopy(operation["value"])


def merge(target, patch):
    """A strategic merge: objects field by field, known lists element by element, the rest replaced; null removes."""
    for field, value in patch.items():
        if value is None:
            target.pop(field, None)
        elif isinstance(value, dict) and isinstance(target.get(field), dict):
            merge(target[field], value)
        elif isinstance(value, list) and isinstance(target.get(field), list) and (key := key_of(field, value)):
            merge_list(target[field], value, key)
        else:
            target[field] = copy.deepcopy(value)


def key_of(field, value):
    if field == "ports":
        return next(key for key in ("containerPort", "port") if key in value[0])
    return KEYS.get(field)


def merge_list(target, patch, key):
    for element in patch:
        found = next((each for each in target if each[key] == element[key]), None)
        if found:
            merge(found, element)
        else:
            target.append(copy.deepcopy(element))


def with_hashes(objects):
    """Gives generated objects a name that follows from their content, and those who refer to them the same."""
    names = {}
    for each, generated in objects:
        if generated:
            name = each["metadata"]["name"]
            content = json.dumps([each["kind"], name, each["data"]], sort_keys=True)
            names[each["kind"], name] = f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"
    for each, generated in objects:
        if generated:
            each["metadata"]["name"] = names[each["kind"], each["metadata"]["name"]]
        for kind, holder, field in references(pod(each)):
            holder[field] = names.get((kind, holder[field]), holder[field])
    return objects


def references(spec):
    for volume in spec.get("volumes", []):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"], "name"
        if "secret" in volume:
            yield "Secret", volume["secret"], "secretName"
    for container in spec.get("containers", []):
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"], "name"
        for variable in container.get("env", []):
            if secret := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield "Secret", secret, "name"
