//! What a driver is to do, from standard input.

use serde::Deserialize;
use serde_json::Value;

/// One call to make, with the arguments that it has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct Call {
    pub call: String,
    pub user_id: Option<String>,
    pub anonymous_id: Option<String>,
    pub previous_id: String,
    pub group_id: String,
    pub event: String,
    pub name: String,
    pub properties: Option<Value>,
    pub traits: Option<Value>,
    pub context: Option<Value>,
    pub integrations: Option<Value>,
}

/// The host, the key and the calls.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    pub host: String,
    pub write_key: String,
    pub calls: Vec<Call>,
}

/// Reads the scenario.
pub fn read() -> Scenario {
    serde_json::from_reader(std::io::stdin()).expect("a scenario on standard input")
}
