//! What others rely on: the document, and the API as programs and browsers meet it, with a real
//! server and a real `hub.db`.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod roles;
mod site;
mod with_mosquitto;

use netmonitor_testkit::golden;

#[test]
fn the_committed_openapi_document_is_what_the_code_serves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    golden(path, &netmonitor_api::openapi_json());
}
