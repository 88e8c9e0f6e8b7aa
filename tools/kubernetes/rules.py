"""What must hold of every overlay, beyond what the schemas of Kubernetes ask for.

A rule is a function of the installation that yields what is wrong with it.
"""

import re

from installation import Installation, containers, labels_match, pod_of

# What an overlay refers to and does not contain, for no repository may hold it: docs/kubernetes.md tells how to make it.
OUTSIDE = {
    "development": set(),
    "production": {
        ("ConfigMap", "nats-users"),
        ("ConfigMap", "tandem-jwks"),
        ("Secret", "nats-routes"),
        ("Secret", "tandem-campaigns"),
        ("Secret", "tandem-contracts"),
        ("Secret", "tandem-creators"),
        ("Secret", "tandem-operator"),
        ("Secret", "tandem-payouts"),
        ("Secret", "tandem-relationships"),
        ("Secret", "tandem-views"),
    },
}


def faults(overlay, objects, programs):
    installation = Installation(overlay, objects, programs)
    for rule in RULES:
        yield from rule(installation)


def pods_are_restricted(it):
    for workload in it.workloads:
        name, pod = workload["metadata"]["name"], pod_of(workload)
        security = pod.get("securityContext", {})
        expect = {
            "runs as root": security.get("runAsNonRoot") is True and security.get("runAsUser", 0) > 0,
            "has no seccomp profile": security.get("seccompProfile", {}).get("type") == "RuntimeDefault",
            "mounts a token": pod.get("automountServiceAccountToken") is False,
            "gets a variable for every Service": pod.get("enableServiceLinks") is False,
            "uses the host": not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
            "has no account of its own": ("ServiceAccount", pod.get("serviceAccountName")) in it.names,
        }
        yield from (f"{name}: {fault}" for fault, holds in expect.items() if not holds)
        for container in containers(pod):
            security = container.get("securityContext", {})
            expect = {
                "may become root": security.get("allowPrivilegeEscalation") is False,
                "may write to its image": security.get("readOnlyRootFilesystem") is True,
                "keeps capabilities": security.get("capabilities", {}).get("drop") == ["ALL"],
                "has no requests": {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys(),
                "has no limits": {"cpu", "memory"} <= container.get("resources", {}).get("limits", {}).keys(),
                "names no version of its image": ":" in container["image"] and not container["image"].endswith(":latest"),
            }
            yield from (f"{name}/{container['name']}: {fault}" for fault, holds in expect.items() if not holds)


def what_is_mounted_is_there(it):
    for workload in it.workloads:
        name, pod = workload["metadata"]["name"], pod_of(workload)
        claims = workload["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in pod.get("volumes", [])} | {claim["metadata"]["name"] for claim in claims}
        mounted = {mount["name"] for container in containers(pod) for mount in container.get("volumeMounts", [])}
        if volumes != mounted:
            yield f"{name}: volumes {sorted(volumes)}, and mounted are {sorted(mounted)}"
        for kind, reference, key in it.references(workload):
            if (kind, reference) in OUTSIDE[it.overlay]:
                continue
            found = it.objects.get((kind, reference))
            if found is None and not (kind == "Secret" and reference in it.certificates):
                yield f"{name}: there is no {kind} {reference}"
            elif found and key and key not in {**found.get("data", {}), **found.get("stringData", {})}:
                yield f"{name}: {kind} {reference} has no {key}"


def nothing_outside_is_forgotten(it):
    used = {(kind, name) for workload in it.workloads for kind, name, _ in it.references(workload)}
    for kind, name in sorted(OUTSIDE[it.overlay] - used):
        yield f"nobody uses {kind} {name}, which is to be made by hand"


def variables_are_options(it):
    for workload, container in it.programs_run():
        name = workload["metadata"]["name"]
        variables = it.variables(container)
        for variable in sorted(variables.keys() - it.programs.variables):
            yield f"{name}: no program reads {variable}"
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        for variable, value in variables.items():
            # The operator's command connects to NATS alone, and is told the rest for nothing.
            if container["command"][0] == "tandem" and not variable.startswith("TANDEM_NATS_"):
                continue
            path = (value or "").removeprefix("sqlite:")
            if path.startswith("/") and not any(path.startswith(mount) for mount in mounts):
                yield f"{name}: {variable} is {path}, where nothing is mounted"


def services_are_whole(it):
    if set(it.programs.ports) != set(it.services):
        yield f"there are {sorted(it.services)}, and the programs are {sorted(it.programs.ports)}"
    for name, deployment in it.services.items():
        full, pod, port = f"tandem-{name}", pod_of(deployment), it.programs.ports.get(name)
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        (container,) = containers(pod)
        variables, ports = it.variables(container), {each["name"]: each["containerPort"] for each in container["ports"]}
        if container["command"] != [full] or variables.get("TANDEM_LISTEN") != f"0.0.0.0:{port}" or ports["grpc"] != port:
            yield f"{full}: it has to be run on its port, {port}"
        health = int(variables["TANDEM_HEALTH_LISTEN"].rpartition(":")[2])
        probes = {"startupProbe": "live", "readinessProbe": None, "livenessProbe": "live"}
        for probe, service in probes.items():
            asked = container.get(probe, {}).get("grpc", {})
            if (asked.get("port"), asked.get("service")) != (health, service) or health not in ports.values():
                yield f"{full}: {probe} has to ask port {health} for {service or 'the process, which has no name'}"
        drain = float(variables["TANDEM_DRAIN_DELAY"]) + 2 * float(variables["TANDEM_DRAIN_TIMEOUT"])
        if pod["terminationGracePeriodSeconds"] <= drain:
            yield f"{full}: it is killed while it drains, which may take {drain} s"
        service = it.objects.get(("Service", full), {}).get("spec", {})
        if not labels_match(service.get("selector"), labels) or [each["port"] for each in service["ports"]] != [port]:
            yield f"{full}: no Service leads to it on port {port}"
        budget = it.objects.get(("PodDisruptionBudget", full), {}).get("spec", {})
        if not labels_match(budget.get("selector", {}).get("matchLabels"), labels):
            yield f"{full}: it has no disruption budget"
        scaler = it.objects.get(("HorizontalPodAutoscaler", full), {}).get("spec", {})
        if scaler.get("scaleTargetRef", {}).get("name") != full or "replicas" in deployment["spec"]:
            yield f"{full}: it has no autoscaler, or replicas beside it"


def traffic_is_allowed_where_needed_alone(it):
    default = it.objects.get(("NetworkPolicy", "deny-all"), {}).get("spec", {})
    if default.get("podSelector") != {} or sorted(default.get("policyTypes", [])) != ["Egress", "Ingress"]:
        yield "nothing denies by default"
    for caller in it.services:
        for called, port in it.programs.ports.items():
            wanted = called in it.programs.calls[caller]
            if it.allows(f"tandem-{caller}", f"tandem-{called}", port) != wanted:
                yield f"the policies {'forbid' if wanted else 'allow'} tandem-{caller} to call tandem-{called}"
        for port, wanted in ((4222, True), (8222, True), (6222, False)):
            if it.allows(f"tandem-{caller}", "nats", port) != wanted:
                yield f"the policies {'forbid' if wanted else 'allow'} tandem-{caller} to reach port {port} of nats"
    if not it.allows("nats", "nats", 6222) or not it.allows("tandem-operator", "nats", 4222):
        yield "the policies forbid nats to reach nats, or the operator to"


def nats_loses_nothing(it):
    stateful = it.objects[("StatefulSet", "nats")]["spec"]
    pod, config = stateful["template"]["spec"], it.config_of("nats-config")
    (server, *_) = pod["containers"]
    expect = {
        "it has not three servers": stateful["replicas"] == 3,
        "it keeps nothing on volumes": "--store_dir=/data" in server["args"] and bool(stateful.get("volumeClaimTemplates")),
        "its servers may share a node": bool(pod["affinity"]["podAntiAffinity"]),
        "it has no probes": {"startupProbe", "readinessProbe", "livenessProbe"} <= server.keys(),
        "it is not spread": bool(pod.get("topologySpreadConstraints")),
        "it syncs late": "sync_interval: always" in config["nats.conf"],
        "it has no disruption budget": it.objects[("PodDisruptionBudget", "nats")]["spec"]["maxUnavailable"] == 1,
    }
    yield from (f"nats: {fault}" for fault, holds in expect.items() if not holds)
    users = set(re.findall(r"\$NATS_(\w+)_NKEY", config["users.conf"]))
    if users != {name.upper() for name in [*it.services, "operator", "system"]}:
        yield f"nats: its users are {sorted(users)}, and not the services, the operator and the system"


def production_is_safe(it):
    if it.overlay != "production":
        return
    affinity = pod_of(it.objects[("StatefulSet", "nats")])["affinity"]["podAntiAffinity"]
    if "requiredDuringSchedulingIgnoredDuringExecution" not in affinity:
        yield "nats: two servers may be on one node"
    for file in ("tls.conf", "cluster-tls.conf"):
        if "verify: true" not in it.config_of("nats-config")[file]:
            yield f"nats: {file} asks for no certificates"
    for name, deployment in it.services.items():
        variables = it.variables(containers(pod_of(deployment))[0])
        expect = {
            "it is not told that it is production": variables.get("TANDEM_ENVIRONMENT") == "production",
            "it takes the development key": "TANDEM_DEVELOPMENT_KEY" not in variables,
            "it can verify no token": "TANDEM_JWKS" in variables,
            "its replicas have views of their own": "TANDEM_VIEWS" in variables and variables["TANDEM_VIEWS"] is None,
            "it serves plain text": {"TANDEM_TLS_CERT", "TANDEM_TLS_KEY", "TANDEM_TLS_CLIENT_CA"} <= variables.keys(),
            "it calls in plain text": all(variables[f"TANDEM_{other.upper()}_ENDPOINT"].startswith("https:") for other in it.services),
            "it reaches NATS in plain text": "TANDEM_NATS_CA" in variables and variables["TANDEM_NATS_URL"].startswith("tls:"),
            "it can sign no token": not it.programs.calls[name] or "TANDEM_SIGNING_KEY" in variables,
        }
        yield from (f"tandem-{name}: {fault}" for fault, holds in expect.items() if not holds)
        certified = it.certificates.get(f"tandem-{name}-tls", {"dnsNames": []})["dnsNames"]
        if f"tandem-{name}" not in certified:
            yield f"tandem-{name}: no certificate names it"
    for server in range(3):
        if f"nats-{server}.nats" not in it.certificates.get("nats-tls", {"dnsNames": []})["dnsNames"]:
            yield f"nats-{server}: no certificate names it"


RULES = [
    pods_are_restricted,
    what_is_mounted_is_there,
    nothing_outside_is_forgotten,
    variables_are_options,
    services_are_whole,
    traffic_is_allowed_where_needed_alone,
    nats_loses_nothing,
    production_is_safe,
]
