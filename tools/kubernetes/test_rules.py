"""That each rule finds what it is for: an overlay is broken in one place, and the rule says so."""

import copy

import programs
import render
import rules

RENDERED = {overlay: render.render(overlay) for overlay in render.overlays()}
PROGRAMS = programs.read()


def pod(objects, name):
    workloads = (each for each in objects if each["kind"] in ("Deployment", "StatefulSet", "Job"))
    return next(each for each in workloads if each["metadata"]["name"] == name)["spec"]["template"]["spec"]


def first(objects, kind, name=""):
    return next(each for each in objects if each["kind"] == kind and each["metadata"]["name"].startswith(name))


def remove(objects, kind, name):
    objects.remove(first(objects, kind, name))


def settings(objects):
    return first(objects, "ConfigMap", "tandem-settings")["data"]


def container(objects, name):
    return pod(objects, name)["containers"][0]


# What is broken, and what is said about it.
BREAKS = [
    (lambda o: pod(o, "nats")["securityContext"].update(runAsNonRoot=False), "nats: runs as root"),
    (lambda o: container(o, "tandem-payouts")["securityContext"].pop("readOnlyRootFilesystem"), "may write to its image"),
    (lambda o: container(o, "tandem-payouts")["resources"].pop("limits"), "has no limits"),
    (lambda o: container(o, "nats").update(image="nats"), "names no version"),
    (lambda o: pod(o, "tandem-payouts").pop("enableServiceLinks"), "gets a variable for every Service"),
    (lambda o: remove(o, "ServiceAccount", "tandem-payouts"), "has no account of its own"),
    (lambda o: pod(o, "tandem-creators")["volumes"].pop(), "tandem-creators: volumes"),
    (lambda o: remove(o, "ConfigMap", "nats-config"), "there is no ConfigMap nats-config"),
    (lambda o: pod(o, "nats")["containers"][0]["envFrom"].clear(), "nobody uses ConfigMap nats-users"),
    (lambda o: settings(o).update(TANDEM_SYNC="on"), "no program reads TANDEM_SYNC"),
    (lambda o: settings(o).update(TANDEM_NATS_NKEY="/elsewhere/nats.nk"), "where nothing is mounted"),
    (lambda o: container(o, "tandem-creators").update(command=["tandem-contracts"]), "has to be run on its port"),
    (lambda o: container(o, "tandem-creators")["readinessProbe"]["grpc"].update(service="live"), "readinessProbe has to ask"),
    (lambda o: pod(o, "tandem-creators").update(terminationGracePeriodSeconds=30), "it is killed while it drains"),
    (lambda o: first(o, "Service", "tandem-creators")["spec"]["ports"][0].update(port=80), "no Service leads to it"),
    (lambda o: first(o, "PodDisruptionBudget", "tandem-creators")["spec"]["selector"]["matchLabels"].update(a="b"), "no disruption budget"),
    (lambda o: first(o, "HorizontalPodAutoscaler", "tandem-creators")["spec"]["scaleTargetRef"].update(name="x"), "no autoscaler"),
    (lambda o: remove(o, "NetworkPolicy", "deny-all"), "nothing denies by default"),
    (lambda o: first(o, "NetworkPolicy", "tandem-payouts")["spec"]["egress"].pop(0), "forbid tandem-payouts to call tandem-contracts"),
    (lambda o: first(o, "NetworkPolicy", "tandem-contracts")["spec"]["ingress"].append({"from": [{"podSelector": {}}], "ports": [{"port": 7402}]}) or
     first(o, "NetworkPolicy", "reach-nats")["spec"]["egress"].append({"to": [{"podSelector": {}}], "ports": [{"port": 7402}]}), "allow tandem-creators to call tandem-contracts"),
    (lambda o: first(o, "NetworkPolicy", "nats")["spec"]["ingress"][0]["ports"].pop(0), "forbid tandem-creators to reach port 4222"),
    (lambda o: first(o, "StatefulSet")["spec"].update(replicas=1), "it has not three servers"),
    (lambda o: first(o, "ConfigMap", "nats-config")["data"].update({"nats.conf": "jetstream {}"}), "it syncs late"),
    (lambda o: first(o, "ConfigMap", "nats-config")["data"].update({"users.conf": "$NATS_ROOT_NKEY"}), "its users are"),
]
BREAKS_OF_PRODUCTION = [
    (lambda o: settings(o).update(TANDEM_DEVELOPMENT_KEY="true"), "it takes the development key"),
    (lambda o: settings(o).pop("TANDEM_TLS_CLIENT_CA"), "it serves plain text"),
    (lambda o: settings(o).update(TANDEM_CONTRACTS_ENDPOINT="http://tandem-contracts:7402"), "it calls in plain text"),
    (lambda o: settings(o).update(TANDEM_NATS_URL="nats://nats-0.nats:4222"), "it reaches NATS in plain text"),
    (lambda o: first(o, "ConfigMap", "nats-config")["data"].update({"tls.conf": ""}), "tls.conf asks for no certificates"),
    (lambda o: remove(o, "Certificate", "nats"), "nats-0: no certificate names it"),
    (lambda o: pod(o, "nats").update(affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}), "two servers may be on one node"),
]


def main():
    tried = 0
    for overlay, breaks in (("production", BREAKS + BREAKS_OF_PRODUCTION), ("development", BREAKS)):
        whole = list(rules.faults(overlay, RENDERED[overlay], PROGRAMS))
        for break_it, expected in breaks:
            assert not any(expected in fault for fault in whole), f"{overlay}: {expected}, without a break"
            objects = copy.deepcopy(RENDERED[overlay])
            break_it(objects)
            try:
                found = list(rules.faults(overlay, objects, PROGRAMS))
            except KeyError as missing:
                found = [f"there is no {' '.join(missing.args[0])}"]
            outside = "nobody uses" in expected and overlay == "development"
            assert outside or any(expected in fault for fault in found), f"{overlay}: not found: {expected}; but {found}"
            tried += 1
    print(f"k8s: {tried} faults put in, all found")


if __name__ == "__main__":
    main()
