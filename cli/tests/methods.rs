//! Every method of every service, as the descriptors name them: refused without a token or a permission, and answered
//! without a defect whatever is sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::time::Duration;

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use tandem_cli::platform::{Options, Platform};
use tandem_client::{Claims, Endpoints, SigningKey};
use tandem_proto::POOL;
use tokio::time::timeout;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// Messages made up for each method; more of them find more.
const MESSAGES: usize = 40;
/// A stream that has nothing to say yet says nothing wrong.
const SILENCE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_is_open_unanswered_or_breaks() {
    let data = tempfile::tempdir().unwrap();
    let platform = Platform::start_in_process(Options::ephemeral(data.path())).await.unwrap();
    let mut random = Random(0x5eed);
    let (mut calls, mut wrong) = (0, Vec::new());
    for method in methods() {
        let channel = Endpoint::try_from(endpoint(platform.endpoints(), &method)).unwrap().connect_lazy();
        let empty = DynamicMessage::new(method.input());
        let call = async |token: Option<String>, message: &DynamicMessage| {
            answer(channel.clone(), &method, token, message.encode_to_vec()).await
        };
        let name = method.full_name();
        assert_eq!(call(None, &empty).await, Code::Unauthenticated, "{name} without a token");
        assert_eq!(call(Some("x.y.z".into()), &empty).await, Code::Unauthenticated, "{name} with a strange token");
        let nothing = token(["none.such"]);
        assert_eq!(call(Some(nothing), &empty).await, Code::PermissionDenied, "{name} without the permission");
        let all = token(["*"]);
        for number in 0..MESSAGES {
            let message = if number == 0 { empty.clone() } else { random.message(&method.input(), 4) };
            let code = call(Some(all.clone()), &message).await;
            let broken = [Code::Unimplemented, Code::Internal, Code::Unknown, Code::DataLoss, Code::PermissionDenied];
            if broken.contains(&code) {
                wrong.push(format!("{name} answers {code:?} to {message}"));
                break;
            }
            calls += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(calls > 50 * MESSAGES, "the descriptors were read wrongly: {calls} calls");
    platform.stop().await.unwrap();
}

fn methods() -> Vec<MethodDescriptor> {
    let ours = POOL.services().filter(|service| service.full_name().starts_with("tandem."));
    // An import is a stream of requests, and has tests of its own.
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).filter(|it| !it.is_client_streaming()).collect()
}

fn token<P: Into<String>>(permissions: impl IntoIterator<Item = P>) -> String {
    let claims = Claims::new("users/ada", "acme").with_permissions(permissions);
    SigningKey::development().mint(&claims, Duration::from_secs(600))
}

/// Where a method is served; what all services serve is asked of one.
fn endpoint(endpoints: &Endpoints, method: &MethodDescriptor) -> String {
    let package = method.parent_service().package_name().to_owned();
    let url = match package.as_str() {
        "tandem.creators.v1" => &endpoints.creators,
        "tandem.campaigns.v1" => &endpoints.campaigns,
        "tandem.payouts.v1" => &endpoints.payouts,
        "tandem.relationships.v1" => &endpoints.relationships,
        _ => &endpoints.contracts,
    };
    url.clone()
}

/// The code of the first answer.
async fn answer(channel: Channel, method: &MethodDescriptor, token: Option<String>, message: Vec<u8>) -> Code {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let answered = async {
        let mut answers = client.server_streaming(request, path.parse().unwrap(), Plain).await?.into_inner();
        answers.message().await.map(|_| ())
    };
    match timeout(if method.is_server_streaming() { SILENCE } else { Duration::from_secs(60) }, answered).await {
        Ok(Ok(())) => Code::Ok,
        Ok(Err(status)) => status.code(),
        Err(_) if method.is_server_streaming() => Code::Ok,
        Err(_) => Code::DeadlineExceeded,
    }
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
        bytes::BufMut::put_slice(buffer, &item);
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
        let mut bytes = vec![0; bytes::Buf::remaining(buffer)];
        bytes::Buf::copy_to_slice(buffer, &mut bytes);
        Ok(Some(bytes))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// Numbers that look random and are the same in every run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// A message with fields left out, filled in sensibly, and filled in with what nobody expects.
    fn message(&mut self, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        for field in descriptor.fields() {
            if self.below(4) == 0 || (depth == 0 && matches!(field.kind(), Kind::Message(_))) {
                continue;
            }
            let value = if field.is_map() {
                continue;
            } else if field.is_list() {
                let count = self.below(4);
                Value::List((0..count).map(|_| self.value(&field, depth)).collect())
            } else {
                self.value(&field, depth)
            };
            message.set_field(&field, value);
        }
        message
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        match field.kind() {
            Kind::Message(descriptor) => Value::Message(self.message(&descriptor, depth.saturating_sub(1))),
            Kind::Enum(descriptor) => {
                let known: Vec<i32> = descriptor.values().map(|value| value.number()).collect();
                Value::EnumNumber(if self.below(8) == 0 { 4711 } else { self.of(&known) })
            }
            Kind::Bool => Value::Bool(self.below(2) == 0),
            Kind::String => Value::String(self.text(field.name())),
            Kind::Bytes => Value::Bytes(vec![0xff; self.below(20)].into()),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                Value::I64(self.of(&[0, 1, 12, -1, 2_000, i64::MAX, i64::MIN]))
            }
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.of(&[0, 1, 12, u64::MAX])),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.of(&[0, 1, 12, u32::MAX])),
            Kind::Double => Value::F64(self.of(&[0.0, 1.5, f64::NAN, f64::INFINITY, f64::MIN])),
            Kind::Float => Value::F32(self.of(&[0.0, 1.5, f32::NAN])),
            _ => Value::I32(self.of(&[0, 1, 2, 5, 12, 28, 2026, 10_000, -1, i32::MAX, i32::MIN])),
        }
    }

    fn text(&mut self, field: &str) -> String {
        let plausible: &[&str] = match field {
            "currency_code" => &["USD", "EUR", "JPY"],
            "time_zone" => &["America/New_York", "Europe/Berlin", "Mars/Olympus"],
            "brand" => &["brands/glowco", "brands/x"],
            "creator" => &["creators/zoe", "creators/1f2e"],
            "contract" | "name" | "template" => {
                &["contracts/c1", "contractTemplates/t1", "usageRights/u1", "campaigns/k1", "views/contracts"]
            }
            "filter" => &["state = ACTIVE", "name = \"x\" AND", "((((", "a:b OR NOT c"],
            "order_by" => &["create_time desc", "name,,", "nothing"],
            "territories" | "territory" | "country_code" => &["US", "WORLD", "DE"],
            "channel" | "channels" => &["instagram", "brand-site"],
            "category" | "categories" => &["skin-care", "beauty", "nothing"],
            _ => &["c1", "x-1", "reel-1", "A reason."],
        };
        match self.below(6) {
            0 => self.of(&["", "\0", "é\u{202e}🎬", "../../etc", "%00", "a b", "'; DROP TABLE rows; --"]).to_owned(),
            1 => "x".repeat(self.of(&[1, 64, 65, 10_000])),
            _ => self.of(plausible).to_owned(),
        }
    }
}
