//! Generates all of `tandem-proto` from `proto/`: messages, services, the descriptor set, the event sets and the
//! validation. protox compiles the files, so that no protoc is needed.

#[path = "build/events.rs"]
mod events;
#[path = "build/names.rs"]
mod names;
#[path = "build/requests.rs"]
mod requests;
#[path = "build/validation.rs"]
mod validation;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::Context as _;
use prost_reflect::DescriptorPool;

fn main() -> anyhow::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", root.display());

    let mut compiler = protox::Compiler::new([&root, &root.join("third_party")])?;
    compiler.include_imports(true).include_source_info(true);
    for file in proto_files(&root.join("tandem"))? {
        compiler.open_file(&file).with_context(|| format!("in {}", file.display()))?;
    }
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &descriptors)?;

    let mut files = compiler.file_descriptor_set();
    // Only options of the files; nothing of it is sent.
    files.file.retain(|file| file.package() != "buf.validate");
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    // Stand-ins in tests answer the few methods that they are asked; a test sees to it that services answer all.
    tonic_prost_build::configure().generate_default_stubs(true).compile_fds_with_config(files, config)?;

    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    fs::write(out.join("events.rs"), events::generate(&pool)?)?;
    fs::write(out.join("requests.rs"), requests::generate(&pool)?)?;
    fs::write(out.join("validation.rs"), validation::generate(&pool)?)?;
    Ok(())
}

/// All `.proto` files below a folder, sorted, so that the output does not depend on the file system.
fn proto_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
