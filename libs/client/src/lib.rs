//! Client of Tandem's gRPC API.
//!
//! ```no_run
//! use std::time::Duration;
//! use tandem_client::proto::contracts::v1::{GetContractRequest, ListContractsRequest};
//! use tandem_client::{Client, Endpoints, FileToken};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .endpoints(Endpoints::from_env())
//!     .token(FileToken::new("/var/run/secrets/tandem/token"))
//!     .deadline(Duration::from_secs(5))
//!     .build()?;
//!
//! let request = GetContractRequest { name: "contracts/spring-launch".into(), ..Default::default() };
//! match client.contracts().get_contract(request).await.map_err(tandem_client::Error::from) {
//!     Ok(contract) => println!("{:?}", contract.into_inner()),
//!     // The message, the reason, and each wrong field on a line of its own.
//!     Err(error) => eprintln!("{error}"),
//! }
//!
//! let request = ListContractsRequest { page_size: 100, ..Default::default() };
//! let page = client.contracts().list_contracts(request).await?.into_inner();
//! # let _ = page;
//! # Ok(())
//! # }
//! ```
//!
//! The accessors return the clients that tonic generates. Below them, each unary call
//!
//! - carries a **token** of the [`TokenSource`](tokens::TokenSource), and is repeated with a new one when a server has
//!   refused the old one as expired;
//! - carries a **request id**, unless the caller has set `request_id`: all tries of the call are one command;
//! - is **tried again** after what passes: a lost connection or reply, UNAVAILABLE, concurrent writes, overload with a
//!   delay ([`RetryPolicy`]). Only methods that are declared free of side effects or idempotent are, which all of
//!   Tandem's are;
//! - ends by its **deadline**, all tries included ([`ClientBuilder::deadline`], `tonic::Request::set_timeout`);
//! - **reads what was written** before: the client remembers the position of its writes, and a List waits for the view
//!   to reach it. To read elsewhere, hand [`Client::positions`] on to [`Client::with_positions`];
//! - belongs to the **trace** of the current span.
//!
//! A stream (`WatchEvents`) has no retries and no deadline: go on from the last event when it ends.
//!
//! A process that repeats a command after its own restart sets `request_id` itself, and keeps it.
//!
//! Invariant: no method is named here. How a call is treated follows from the proto files alone.

mod auth;
mod builder;
mod call;
mod channel;
mod client;
mod deadline;
mod endpoints;
mod error;
mod method;
mod origin;
mod positions;
mod request_id;
mod retry;
mod test_clock;
mod tls;
pub mod tokens;
mod trace;
mod wire;

pub use tandem_proto as proto;
pub use tandem_tls::{ClientTls, Identity};
pub use tonic_types::FieldViolation;

pub use self::builder::{BuildError, ClientBuilder};
pub use self::channel::Channel;
pub use self::client::Client;
pub use self::deadline::parse_grpc_timeout;
pub use self::endpoints::{Endpoints, Service, UnknownService};
pub use self::error::Error;
pub use self::positions::{InvalidPositions, Positions};
pub use self::retry::RetryPolicy;
pub use self::tokens::{
    Claims, DEFAULT_AUDIENCE, DEFAULT_ISSUER, DEVELOPMENT_JWK, DEVELOPMENT_KEY, DEVELOPMENT_KEY_ID, FileToken,
    MintedToken, SigningKey, StaticToken, TokenError, TokenSource,
};
pub use self::wire::Carrier;
