# All programs of Tandem in one image: the five services, and the CLI. Which of them is run, the command says.
#
#   docker build -t tandem:development .
#   docker run tandem:development tandem-contracts --help
#
# Dependencies are compiled in a layer of their own, which stays as long as they do.

FROM docker.io/library/rust:1.90-slim-bookworm AS chef
WORKDIR /src
RUN cargo install cargo-chef --locked --version 0.1.78

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
ARG PROGRAMS="-p tandem-creators -p tandem-contracts -p tandem-campaigns -p tandem-payouts -p tandem-relationships -p tandem-cli"
COPY --from=plan /src/recipe.json recipe.json
# Several options: not to be quoted.
# hadolint ignore=SC2086
RUN cargo chef cook --release --locked --recipe-path recipe.json $PROGRAMS
COPY . .
# hadolint ignore=SC2086
RUN cargo build --release --locked $PROGRAMS

# The C library, certificates of authorities and time zones, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/tandem-creators /usr/local/bin/
COPY --from=build /src/target/release/tandem-contracts /usr/local/bin/
COPY --from=build /src/target/release/tandem-campaigns /usr/local/bin/
COPY --from=build /src/target/release/tandem-payouts /usr/local/bin/
COPY --from=build /src/target/release/tandem-relationships /usr/local/bin/
COPY --from=build /src/target/release/tandem /usr/local/bin/
USER 65532:65532
WORKDIR /var/lib/tandem
CMD ["tandem", "--help"]
