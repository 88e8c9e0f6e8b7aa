//! The payouts service as a program of its own.

fn main() -> anyhow::Result<()> {
    tandem_service::main::<tandem_payouts::Payouts>()
}
