//! Makes the calls with the crate `segment`: batches as its AutoBatcher makes them, one flush at the end.

use scenario::Call;
use segment::message::{Alias, BatchMessage, Group, Identify, Page, Screen, Track, User};
use segment::{AutoBatcher, Batcher, HttpClient};
use serde_json::Value;

fn user(call: &Call) -> User {
    match (&call.user_id, &call.anonymous_id) {
        (Some(user_id), Some(anonymous_id)) => User::Both {
            user_id: user_id.clone(),
            anonymous_id: anonymous_id.clone(),
        },
        (Some(user_id), None) => User::UserId {
            user_id: user_id.clone(),
        },
        (None, anonymous_id) => User::AnonymousId {
            anonymous_id: anonymous_id.clone().unwrap_or_default(),
        },
    }
}

fn message(call: Call) -> BatchMessage {
    let user = user(&call);
    let Call {
        event,
        name,
        group_id,
        previous_id,
        context,
        integrations,
        ..
    } = call;
    let properties = call.properties.unwrap_or(Value::Null);
    let traits = call.traits.unwrap_or(Value::Null);
    match call.call.as_str() {
        "identify" => Identify {
            user,
            traits,
            context,
            integrations,
            ..Default::default()
        }
        .into(),
        "track" => Track {
            user,
            event,
            properties,
            context,
            integrations,
            ..Default::default()
        }
        .into(),
        "page" => Page {
            user,
            name,
            properties,
            context,
            integrations,
            ..Default::default()
        }
        .into(),
        "screen" => Screen {
            user,
            name,
            properties,
            context,
            integrations,
            ..Default::default()
        }
        .into(),
        "group" => Group {
            user,
            group_id,
            traits,
            context,
            integrations,
            ..Default::default()
        }
        .into(),
        "alias" => Alias {
            user,
            previous_id,
            context,
            integrations,
            ..Default::default()
        }
        .into(),
        other => panic!("no such call: {other}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let scenario = scenario::read();
    let client = HttpClient::new(Default::default(), scenario.host);
    let mut batcher = AutoBatcher::new(client, Batcher::new(None), scenario.write_key);
    for call in scenario.calls {
        if let Err(error) = batcher.push(message(call)).await {
            eprintln!("gave up: {error}");
        }
    }
    if let Err(error) = batcher.flush().await {
        eprintln!("gave up: {error}");
    }
}
