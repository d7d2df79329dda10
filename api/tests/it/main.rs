//! What others rely on.

use netmonitor_testkit::golden;

#[test]
fn the_committed_openapi_document_is_what_the_code_serves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    golden(path, &netmonitor_api::openapi_json());
}
