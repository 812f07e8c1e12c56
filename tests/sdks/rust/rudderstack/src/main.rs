//! Makes the calls with the crate `rudderanalytics`, which sends one event a request.

use rudderanalytics::client::RudderAnalytics;
use rudderanalytics::message::{Alias, Group, Identify, Message, Page, Screen, Track};
use scenario::Call;

fn message(call: Call) -> Message {
    let Call {
        user_id,
        anonymous_id,
        event,
        name,
        group_id,
        previous_id,
        properties,
        traits,
        context,
        integrations,
        ..
    } = call;
    match call.call.as_str() {
        "identify" => Message::Identify(Identify {
            user_id,
            anonymous_id,
            traits,
            context,
            integrations,
            ..Default::default()
        }),
        "track" => Message::Track(Track {
            user_id,
            anonymous_id,
            event,
            properties,
            context,
            integrations,
            ..Default::default()
        }),
        "page" => Message::Page(Page {
            user_id,
            anonymous_id,
            name,
            properties,
            context,
            integrations,
            ..Default::default()
        }),
        "screen" => Message::Screen(Screen {
            user_id,
            anonymous_id,
            name,
            properties,
            context,
            integrations,
            ..Default::default()
        }),
        "group" => Message::Group(Group {
            user_id,
            anonymous_id,
            group_id,
            traits,
            context,
            integrations,
            ..Default::default()
        }),
        "alias" => Message::Alias(Alias {
            user_id: user_id.unwrap_or_default(),
            previous_id,
            context,
            integrations,
            ..Default::default()
        }),
        other => panic!("no such call: {other}"),
    }
}

fn main() {
    let scenario = scenario::read();
    let client = RudderAnalytics::load(scenario.write_key, scenario.host);
    for call in scenario.calls {
        if let Err(error) = client.send(&message(call)) {
            eprintln!("gave up: {error}");
        }
    }
}
