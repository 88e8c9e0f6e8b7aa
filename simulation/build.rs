//! Names the configuration under which Tokio takes a seed, so that the compiler knows it.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(tokio_unstable)");
    println!("cargo::rerun-if-changed=build.rs");
}
