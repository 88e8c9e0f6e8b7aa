//! The creators service as a program of its own.

fn main() -> anyhow::Result<()> {
    tandem_service::main::<tandem_creators::Creators>()
}
