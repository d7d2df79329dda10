//! The hub itself.

use std::sync::Arc;

use netmonitor_service::clock;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::Tag;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::Hub;

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Hub")]
impl Routes {
    /// Tells how the hub and its services are doing.
    #[oai(path = "/hub", method = "get", operation_id = "get_hub")]
    async fn get(&self, _caller: Caller, app: Data<&Arc<App>>) -> Result<Json<Hub>, Problem> {
        Ok(Json(app.fleet().hub(clock::now())))
    }
}
