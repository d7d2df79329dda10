//! The processes of a device that need most, while someone looks.

use std::sync::Arc;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::Watch;
use netmonitor_service::clock;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;

use super::devices::{no_device, parse};
use super::{Done, Tag};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::ProcessPage;

/// For how long an agent tells its processes after it was asked to. Whoever looks for longer says
/// so again before that.
const WATCH_SECS: u32 = 60;

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Devices")]
impl Routes {
    /// Says that someone looks at a device: for the next 60 seconds its agent tells its processes.
    ///
    /// They come on the stream as `processes`. Whoever looks for longer says so again before that.
    /// An agent that is older than this, or away, tells nothing.
    #[oai(
        path = "/devices/:id/watch",
        method = "post",
        operation_id = "watch_device"
    )]
    async fn watch(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Done, Problem> {
        let device = parse(&id)?;
        if !app.fleet().knows(&device) {
            return Err(no_device(&id));
        }
        let watch = Watch {
            for_secs: WATCH_SECS,
        };
        app.send(Message::DeviceWatch(device, watch)).await;
        Ok(Done::Done)
    }

    /// Lists the processes of a device that need most, as they were told last.
    ///
    /// Empty unless they were told in the last two minutes: an agent tells them while someone
    /// looks.
    #[oai(
        path = "/devices/:id/processes",
        method = "get",
        operation_id = "list_processes"
    )]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Json<ProcessPage>, Problem> {
        let processes = app.fleet().processes(&parse(&id)?, clock::now());
        processes.map(Json).ok_or_else(|| no_device(&id))
    }
}
