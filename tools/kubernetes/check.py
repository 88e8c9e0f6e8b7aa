#!/usr/bin/env python3
"""Renders every overlay of k8s/, and checks what comes out: by the schemas of Kubernetes, and by rules of our own.

Nothing is asked of any cluster or network. Ends with exit code 1 if anything is wrong, after saying all that is.
"""

import sys

import dockerfile
import programs
import render
import rules
import schema


def main():
    wrong = list(dockerfile.faults())
    known = programs.read()
    for overlay in render.overlays():
        objects = render.render(overlay)
        found = [*schema.faults(objects), *rules.faults(overlay, objects, known)]
        wrong += [f"k8s/overlays/{overlay}: {fault}" for fault in found]
        print(f"k8s/overlays/{overlay}: {len(objects)} objects{'' if found else ', all as they should be'}")
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
