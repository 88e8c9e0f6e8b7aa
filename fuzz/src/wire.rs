//! A call of bytes, and all that is answered.
//!
//! Invariant: what comes out is what was on the wire: nothing is tried again, decoded or left out.

use std::time::Duration;

use bytes::{Buf as _, BufMut as _};
use tokio::time::timeout;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::methods::Method;

/// A stream that says nothing for so long has nothing more to say; one that only waits says nothing wrong.
const SILENCE: Duration = Duration::from_millis(100);
/// More than a service lets any request take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
pub(crate) struct Answer {
    pub(crate) messages: Vec<Vec<u8>>,
    /// Its end; OK has no message.
    pub(crate) status: Status,
}

/// Sends one message.
pub(crate) async fn send(channel: Channel, method: &Method, metadata: MetadataMap, message: Vec<u8>) -> Answer {
    let mut messages = Vec::new();
    let mut request = Request::new(message);
    *request.metadata_mut() = metadata;
    let called = async {
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(usize::MAX);
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut answers = client.server_streaming(request, method.path.clone(), Plain).await?.into_inner();
        loop {
            let next = answers.message();
            let next = if method.streams() { timeout(SILENCE, next).await.unwrap_or(Ok(None))? } else { next.await? };
            let Some(message) = next else { return Ok(()) };
            messages.push(message);
        }
    };
    let ended = timeout(PATIENCE, called).await;
    let status = match ended {
        Ok(Ok(())) => Status::new(Code::Ok, ""),
        Ok(Err(status)) => status,
        Err(_) if method.streams() => Status::new(Code::Ok, ""),
        Err(_) => Status::unknown(format!("no answer within {PATIENCE:?}")),
    };
    Answer { messages, status }
}

/// Messages as bytes.
#[derive(Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}
