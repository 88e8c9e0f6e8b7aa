"""The objects of an overlay, as the rules ask for them. An object that kustomize has given a hash is known by its name
without it."""

import re

HASH = re.compile(r"-[0-9a-z]{10}$")
GENERATED = ("ConfigMap", "Secret")


def containers(pod):
    return [*pod.get("initContainers", []), *pod["containers"]]


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def labels_match(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def selects(selector, labels):
    """Whether a label selector of a policy takes in a pod; an empty one takes in all."""
    for expression in selector.get("matchExpressions", []):
        if expression["operator"] != "In":
            raise ValueError(f"operator {expression['operator']} is not known here")
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


class Installation:
    def __init__(self, overlay, objects, programs):
        self.overlay, self.programs = overlay, programs
        self.objects = {(each["kind"], self.plain(each["kind"], each["metadata"]["name"])): each for each in objects}
        self.names = set(self.objects)
        self.workloads = [each for each in objects if each["kind"] in ("Deployment", "StatefulSet", "Job")]
        deployments = [each for each in self.workloads if each["kind"] == "Deployment"]
        self.services = {each["metadata"]["name"].removeprefix("tandem-"): each for each in deployments}
        # By the name of the Secret that they are written to.
        self.certificates = {each["spec"]["secretName"]: each["spec"] for each in objects if each["kind"] == "Certificate"}
        self.policies = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]

    @staticmethod
    def plain(kind, name):
        return HASH.sub("", name) if kind in GENERATED else name

    def config_of(self, name):
        return self.objects[("ConfigMap", name)]["data"]

    def references(self, workload):
        """Kind, name, and key if one is named, of each ConfigMap and Secret that a workload needs."""
        pod = pod_of(workload)
        for volume in pod.get("volumes", []):
            if "configMap" in volume:
                yield "ConfigMap", self.plain("ConfigMap", volume["configMap"]["name"]), None
            if "secret" in volume:
                yield "Secret", self.plain("Secret", volume["secret"]["secretName"]), None
        for container in containers(pod):
            for source in container.get("envFrom", []):
                yield "ConfigMap", self.plain("ConfigMap", source["configMapRef"]["name"]), None
            for variable in container.get("env", []):
                if secret := variable.get("valueFrom", {}).get("secretKeyRef"):
                    yield "Secret", self.plain("Secret", secret["name"]), secret["key"]

    def programs_run(self):
        """Workloads with each container that runs a program of ours."""
        for workload in self.workloads:
            for container in containers(pod_of(workload)):
                if container.get("command", [""])[0] in self.programs.binaries:
                    yield workload, container

    def variables(self, container):
        """What a container's variables are; none for one that comes from a Secret."""
        variables = {}
        for source in container.get("envFrom", []):
            variables.update(self.config_of(self.plain("ConfigMap", source["configMapRef"]["name"])))
        variables.update({each["name"]: each.get("value") for each in container.get("env", [])})
        return variables

    def pod_labels(self, name):
        found = [each for each in self.workloads if each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == name]
        return found[0]["spec"]["template"]["metadata"]["labels"]

    def allows(self, source, target, port):
        """Whether the policies let a connection out of the one pod and into the other."""
        source, target = self.pod_labels(source), self.pod_labels(target)
        out = self._allows("Egress", "egress", "to", source, target, port)
        return out and self._allows("Ingress", "ingress", "from", target, source, port)

    def _allows(self, kind, rules, peers, pod, other, port):
        applying = [policy for policy in self.policies if kind in policy["policyTypes"] and selects(policy["podSelector"], pod)]
        for policy in applying:
            for rule in policy.get(rules, []):
                if any(each["port"] == port for each in rule["ports"]) and any(
                    "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], other)
                    for peer in rule[peers]
                ):
                    return True
        return not applying
