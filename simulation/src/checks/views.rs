//! Every view is the fold of the log.

use std::fmt::Debug;

use tandem_campaigns::{campaign::Campaign, conversion::Conversion, participation::Participation};
use tandem_contracts::obligation::Obligations;
use tandem_contracts::rights::publications::Publications;
use tandem_contracts::{contract::Contract, template::ContractTemplate, usage_right::UsageRight};
use tandem_payouts::{earning::Earning, payout_run::PayoutRun};
use tandem_relationships::{Audit, Partnerships};
use tandem_service::ResourceView;
use tandem_views::View;
use tandem_views::testing::given;

use crate::world::World;

pub(super) fn check(world: &World, found: &mut Vec<String>) {
    view("contracts", ResourceView::<Contract>::default(), world, found);
    view("contracts", ResourceView::<UsageRight>::default(), world, found);
    view("contracts", ResourceView::<ContractTemplate>::default(), world, found);
    view("contracts", Publications, world, found);
    view("contracts", Obligations, world, found);
    view("campaigns", ResourceView::<Campaign>::default(), world, found);
    view("campaigns", ResourceView::<Participation>::default(), world, found);
    view("campaigns", ResourceView::<Conversion>::default(), world, found);
    view("payouts", ResourceView::<Earning>::default(), world, found);
    view("payouts", ResourceView::<PayoutRun>::default(), world, found);
    view("relationships", Partnerships, world, found);
    view("relationships", Audit, world, found);
}

fn view<V: View>(service: &str, view: V, world: &World, found: &mut Vec<String>)
where
    V::Row: Debug,
{
    let folded = given(view, world.log.events());
    let Some((position, rows, parked)) = world.views[service].live::<V::Row>(V::NAME) else {
        found.push(format!("view {} has not been built", V::NAME));
        return;
    };
    for (key, row) in folded.rows() {
        if rows.get(key) != Some(row) {
            found.push(format!("row {key:?} of view {} at {position} is not the fold of the log", V::NAME));
        }
    }
    for key in rows.keys().filter(|key| !folded.rows().contains_key(*key)) {
        found.push(format!("row {key:?} of view {} should not be there", V::NAME));
    }
    if parked != folded.parked() || !parked.is_empty() {
        found.push(format!("view {} has parked {:?}; by the log: {:?}", V::NAME, parked, folded.parked()));
    }
}
