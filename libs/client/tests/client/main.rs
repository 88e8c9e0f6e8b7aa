//! A client against real servers that fail as told.

#[cfg(test)]
mod metadata;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
