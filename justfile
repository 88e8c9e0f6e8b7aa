# Tandem's recipes. `./justw <recipe>` runs them with nothing to install first.

set positional-arguments

export PATH := justfile_directory() / ".tools" + ":" + env("PATH")

# just takes Ctrl-C for a failure, also of what has ended well on it, unless failures are ignored: `up`, which is to be
# ended so, has its failures ignored and then told by this file. TERM reaches the shell alone, which hands it on.
_up_failed := env("TMPDIR", "/tmp") / "tandem-up-" + uuid()

# Runs a command whose tests share one PostgreSQL.
_with_postgres := "cargo run -q --locked -p tandem-postgres-server --"

# Show this list
default:
    @{{ just_executable() }} --list --unsorted

# Run the life of a partnership through all services in one process
demo *args: (_first-build "tandem-demo")
    @cargo run -q --locked -p tandem-demo -- "$@"

# The same with each service in a process of its own
demo-separate *args: (_first-build "tandem-demo")
    @cargo build -q --locked --workspace --bins
    @cargo run -q --locked -p tandem-demo -- --separate "$@"

# Start a NATS server and all services, and keep them running
up *args: (_first-build "tandem")
    @cargo build -q --locked -p tandem-cli
    -@trap 'kill -TERM $up' TERM; trap : INT; \
        "${CARGO_TARGET_DIR:-target}/debug/tandem" up "$@" & up=$!; \
        while kill -0 $up 2>/dev/null; do wait $up; status=$?; done; \
        case $status in 0 | 130 | 143) ;; *) echo $status >"{{ _up_failed }}" ;; esac
    @[ ! -e "{{ _up_failed }}" ] || { read -r status <"{{ _up_failed }}"; rm "{{ _up_failed }}"; exit "$status"; }

# Run all tests, those of the documentation and the separate demo included
test: (tools "postgres")
    @if cargo nextest --version >/dev/null 2>&1; then \
        {{ _with_postgres }} cargo nextest run --workspace && cargo test --doc --workspace; \
    else \
        {{ _with_postgres }} cargo test --workspace; \
    fi

# Check format, clippy without warnings, and the protos
lint: && proto-lint
    cargo fmt --all -- --check
    cargo clippy --locked --workspace --all-targets -- -D warnings

# Check the protos: style, comments, and nothing released broken
proto-lint: (tools "buf")
    buf lint
    @test -f proto/released.binpb || { echo "proto/released.binpb is missing: record it with ./justw proto-release" >&2; exit 1; }
    buf breaking --against proto/released.binpb

# Record the protos as released: later ones are checked against them
proto-release: (tools "buf")
    buf build --exclude-source-info -o proto/released.binpb

# Check licences, sources and versions of the dependencies, offline
audit:
    @if cargo deny --version >/dev/null 2>&1; then \
        cargo deny --offline check licenses bans sources; \
    else \
        python3 tools/audit.py; \
    fi

# Render every overlay of k8s/ and check what comes out, and the Dockerfile; no cluster is needed
k8s: (tools "hadolint kubernetes-validate")
    @PYTHONPATH=.tools/kubernetes-validate python3 -B tools/kubernetes/check.py
    @PYTHONPATH=.tools/kubernetes-validate python3 -B tools/kubernetes/test_rules.py

# Call every method with what nobody expects, as everybody who may not
fuzz *args: (_first-build "tandem-fuzz")
    @cargo run -q --locked -p tandem-fuzz -- "$@"

# Measure against the limits and the peers, in release
bench *args: (tools "postgres")
    @cargo build --release -p tandem-cli -p tandem-bench
    @cargo run -q --release -p tandem-bench -- "$@"

# Simulate the services with everything going wrong, seed by seed: --seeds N, or --seed S for one with its trace
simulate *args:
    @test -x "${CARGO_TARGET_DIR:-target}/simulation/tandem-simulation" || echo "compiling; the first build takes some minutes"
    @RUSTFLAGS="${RUSTFLAGS:-} --cfg tokio_unstable" \
        cargo run -q --locked --profile simulation -p tandem-simulation -- "$@"

# Check that the same seed is the same run, and that what is broken on purpose is found
test-simulation:
    RUSTFLAGS="${RUSTFLAGS:-} --cfg tokio_unstable" cargo test --locked --profile simulation -p tandem-simulation

# What CI does of it: those checks, and some thousand seeds
check-simulation: test-simulation (simulate "--seeds" "3000")

# Kill, pause and starve processes and servers under load, and check what it came to
chaos *args: (tools "nats-server")
    @cargo build -q --locked --workspace --bins
    @cargo run -q --locked -p tandem-chaos -- "$@"

# All that must hold before a change is taken: lint, audit, k8s, test, check-simulation, demo
ci:
    #!/usr/bin/env bash
    set -euo pipefail
    step=start passed=
    trap '[ $? = 0 ] || echo "ci: FAILED in $step${passed:+; passed before:$passed}"' EXIT
    for step in lint audit k8s test check-simulation demo; do
        began=$SECONDS
        echo "ci: $step"
        "{{ just_executable() }}" "$step"
        passed+=" $step ($((SECONDS - began)) s)"
    done
    commit=$(git describe --always --dirty 2>/dev/null || echo "without a commit")
    echo "ci: passed:$passed, tree $commit"

# Fetch pinned tools into .tools unless good ones are installed
tools *names="just nats-server buf postgres":
    @tools/fetch {{ names }}

# Remove what `up` has stored
clean-data:
    rm -rf .data

# Says why nothing happens for a while.
_first-build binary:
    @test -x "${CARGO_TARGET_DIR:-target}/debug/{{ binary }}" || echo "compiling; the first build takes some minutes"
