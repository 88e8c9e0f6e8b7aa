//! `tandem-campaigns`: the campaigns service as a process of its own.

fn main() -> anyhow::Result<()> {
    tandem_service::main::<tandem_campaigns::Campaigns>()
}
