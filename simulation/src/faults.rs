//! What goes wrong, how often, and how often it has.
//!
//! Invariant: each seed has a weather of its own, in which many kinds of fault do not occur at all: what two kinds do
//! together is seen best where the others keep still.

use std::fmt;

use crate::chance::Chance;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $rate:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// In how many chances it occurs once, where it occurs at all, in rough weather.
            const fn rate(self) -> u64 {
                match self { $(Self::$name => $rate,)* }
            }
        }

        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

faults! {
    /// A service dies at an await, with all that it has in memory, and is started again.
    Crash = "crash", 250;
    /// An append does not arrive; its outcome is unknown.
    AppendLost = "append lost", 15;
    /// An append is written, and its reply is lost.
    AppendReplyLost = "append reply lost", 12;
    /// An append is given up, and written later.
    AppendLate = "append late", 15;
    /// An append arrives twice, and the second reply counts.
    AppendDoubled = "append doubled", 12;
    /// The log refuses to append.
    AppendRefused = "append refused", 15;
    /// For a while, most appends are told that others were faster.
    ConflictStorm = "conflict storm", 60;
    /// A read that any replica may answer is answered by one that lags behind.
    StaleRead = "stale read", 3;
    /// A read fails.
    ReadFailed = "read failed", 25;
    /// What follows or consumes the log is interrupted.
    StreamBroken = "stream broken", 40;
    /// A durable consumer is handed an event twice.
    Redelivered = "redelivered", 10;
    /// An event reaches a durable consumer after later ones.
    Reordered = "reordered", 10;
    /// An acknowledgement is lost.
    AckLost = "ack lost", 15;
    /// A call does not arrive.
    CallLost = "call lost", 20;
    /// A call is carried out, and its reply is lost.
    CallReplyLost = "call reply lost", 15;
    /// A call arrives twice.
    CallDoubled = "call doubled", 12;
    /// A call or its reply takes seconds.
    CallLate = "call late", 20;
    /// A view's store fails, before or after what it was asked for.
    StoreFailed = "store failed", 40;
    /// A timer can't be armed, or comes again.
    TimerFailed = "timer failed", 10;
}

/// How often each kind occurs.
#[derive(Clone, Debug)]
pub struct Weather(Vec<u64>);

impl Weather {
    /// Nothing goes wrong.
    #[must_use]
    pub fn fair() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }

    /// Of a seed: some kinds, some more often than others.
    #[must_use]
    pub fn of(chance: &Chance) -> Self {
        let rate = |fault: &Fault| if chance.one_in(2) { 0 } else { fault.rate() * chance.pick(&[1, 1, 2, 4]) };
        Self(Fault::ALL.iter().map(rate).collect())
    }

    /// As it is, but for one kind.
    #[must_use]
    pub fn without(mut self, fault: Fault) -> Self {
        self.0[fault as usize] = 0;
        self
    }

    /// In how many chances a kind occurs once; 0 if never.
    #[must_use]
    pub fn rate(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }
}

/// How often each kind has occurred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }
}

impl Counts {
    /// Once more.
    pub fn note(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    /// How often a kind has occurred.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// `crash 12, append lost 3`, without what has not occurred.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occurred = Fault::ALL.iter().filter(|fault| self.of(**fault) > 0);
        let told: Vec<_> = occurred.map(|fault| format!("{fault} {}", self.of(*fault))).collect();
        f.write_str(&told.join(", "))
    }
}
