//! Commission on all orders under a contract.
//!
//! Invariant: what all orders earn follows from what is kept of each, and not from the order in which that became known.
//! Orders count by the month and instant in which they were ordered: each earns what its terms give for it after all
//! before it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::rules::Commission;

/// Orders, with what they earn in sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sales {
    orders: BTreeMap<Place, Sold>,
    places: HashMap<String, Place>,
}

/// Year and month.
type Month = (i16, i8);

/// Where an order stands among all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    // First, so that the orders of a month stand together even if the time zone was changed.
    month: Month,
    time: Timestamp,
    pub order_id: String,
}

/// An order, in minor units.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub net: i64,
    pub refunded: i64,
    /// By which it was priced; none if its terms give no commission.
    pub commission: Option<Arc<Commission>>,
}

#[derive(Clone, Debug)]
struct Sold {
    order: Order,
    /// After it.
    tally: Tally,
}

/// All orders up to one, in minor units.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Net sales kept.
    kept: i128,
    /// The month of the last.
    month: Month,
    /// Commission of that month.
    of_month: i128,
    /// Commission of all.
    total: i128,
}

/// What orders come to, if one of them is as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prospect {
    /// What all orders earn, in minor units.
    pub total: i128,
    /// What the order itself earns of that.
    pub own: i128,
    /// The rates of the order's pieces: how much of it at which, in minor units and basis points.
    pub pieces: Vec<(i64, i32)>,
    /// The cap that keeps the order's own commission down.
    pub cap: Option<Cap>,
}

/// Which cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cap {
    Order(i64),
    Month(i64, Month),
    Total(i64),
}

impl Place {
    /// Of an order at an instant, by months of a time zone.
    pub fn new(order_id: &str, time: Timestamp, zone: &TimeZone) -> Self {
        let day = tandem_money::dates::day_of(time, zone);
        Self { month: (day.year(), day.month()), time, order_id: order_id.to_owned() }
    }
}

impl Sales {
    /// How many orders there are.
    pub fn count(&self) -> usize {
        self.orders.len()
    }

    /// An order, with its place.
    pub fn find(&self, order_id: &str) -> Option<(&Place, &Order)> {
        let place = self.places.get(order_id)?;
        self.orders.get(place).map(|sold| (place, &sold.order))
    }

    /// What all would earn if this order were as given, whether it is there already or not.
    pub fn prospect(&self, place: &Place, order: &Order) -> Prospect {
        let before = self.before(place);
        let (mut tally, cap) = before.plus(place.month, order);
        let own = tally.total - before.total;
        for (place, sold) in self.orders.range(place..).filter(|(other, _)| *other != place) {
            tally = tally.plus(place.month, &sold.order).0;
        }
        let pieces = order.commission.as_ref().map(|commission| commission.pieces(before.kept, order.kept()));
        Prospect { total: tally.total, own, pieces: pieces.unwrap_or_default(), cap }
    }

    /// Keeps an order as it is now.
    pub fn put(&mut self, place: Place, order: Order) {
        let mut tally = self.before(&place);
        self.places.insert(place.order_id.clone(), place.clone());
        self.orders.insert(place.clone(), Sold { order, tally });
        for (place, sold) in self.orders.range_mut(place..) {
            tally = tally.plus(place.month, &sold.order).0;
            sold.tally = tally;
        }
    }

    fn before(&self, place: &Place) -> Tally {
        self.orders.range(..place).next_back().map(|(_, sold)| sold.tally).unwrap_or_default()
    }
}

impl Order {
    /// What was not refunded.
    pub fn kept(&self) -> i64 {
        self.net.saturating_sub(self.refunded)
    }
}

impl Tally {
    /// After one more order; with the cap that it ran into.
    fn plus(self, month: Month, order: &Order) -> (Self, Option<Cap>) {
        let of_month = if self.month == month { self.of_month } else { 0 };
        let (mut earned, mut binding) = (0, None);
        if let Some(commission) = &order.commission {
            earned = commission.uncapped(self.kept, order.kept());
            let room = |cap: Option<i64>, used: i128| cap.map(|cap| (i128::from(cap) - used).max(0));
            for (room, cap) in [
                (room(commission.order_cap, 0), Cap::Order(commission.order_cap.unwrap_or_default())),
                (room(commission.month_cap, of_month), Cap::Month(commission.month_cap.unwrap_or_default(), month)),
                (room(commission.total_cap, self.total), Cap::Total(commission.total_cap.unwrap_or_default())),
            ] {
                if let Some(room) = room.filter(|room| *room < earned) {
                    (earned, binding) = (room, Some(cap));
                }
            }
        }
        let kept = self.kept + i128::from(order.kept());
        (Self { kept, month, of_month: of_month + earned, total: self.total + earned }, binding)
    }
}

impl Commission {
    /// How much of an amount of sales, after others, falls under which rate.
    fn pieces(&self, after: i128, amount: i64) -> Vec<(i64, i32)> {
        let (mut from, end) = (after, after + i128::from(amount));
        let mut pieces = Vec::new();
        for (index, (_, rate)) in self.tiers.iter().enumerate() {
            let tier_end = self.tiers.get(index + 1).map_or(i128::MAX, |(next, _)| i128::from(*next));
            let until = end.min(tier_end);
            if from < until {
                // A piece of an amount of 64 bits.
                pieces.push(((until - from) as i64, *rate));
                from = until;
            }
        }
        pieces
    }

    /// What an amount of sales earns after others, without caps: rounded once, half to even.
    fn uncapped(&self, after: i128, amount: i64) -> i128 {
        let exact: i128 =
            self.pieces(after, amount).iter().map(|(part, rate)| i128::from(*part) * i128::from(*rate)).sum();
        let (floor, rest) = (exact.div_euclid(10_000), exact.rem_euclid(10_000));
        let up = rest > 5000 || (rest == 5000 && floor % 2 != 0);
        floor + i128::from(up)
    }
}
