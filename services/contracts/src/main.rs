//! `tandem-contracts`: the contracts service as a process of its own.

fn main() -> anyhow::Result<()> {
    tandem_service::main::<tandem_contracts::Contracts>()
}
