"""Whether objects are what the API of Kubernetes takes: no field unknown, none of the wrong type."""

import kubernetes_validate

# The newest that the library knows; what is used is in 1.29 and later.
VERSION = "1.37"
# Of others than Kubernetes; rules.py knows of these what is relied on.
CUSTOM = {"cert-manager.io/v1"}


def faults(objects):
    for document in objects:
        name = f"{document.get('kind')} {document.get('metadata', {}).get('name')}"
        if document.get("apiVersion") in CUSTOM:
            continue
        try:
            kubernetes_validate.validate(document, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{name}: {error}"
