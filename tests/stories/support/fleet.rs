//! Many simulated agents, in this process.

use netmonitor_benches::fleet::{self, Config, Fleet};
use netmonitor_benches::hub::watcher;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::Secret;
use tokio::runtime::Runtime;

use super::hub::Home;

/// Who watches them.
const WATCHER: &str = "fleet-watcher";

/// So many join the hub and begin to measure.
pub(crate) fn join(home: &Home, number: usize, config: Config) -> (Runtime, Fleet) {
    let code = ["join-code", "--uses", &number.to_string()];
    let code: JoinCode = home.told(&code).parse().unwrap();
    let add = ["mqtt-user", "add", WATCHER, "--role", "reader"];
    let password = Secret::new(home.told(&add));
    let watch = watcher(&code, WATCHER.to_owned(), password).unwrap();
    let runtime = Runtime::new().unwrap();
    let fleet = runtime.block_on(async {
        let identities = fleet::join(&code, number).await?;
        Fleet::start(identities, watch, config).await
    });
    (runtime, fleet.unwrap())
}
