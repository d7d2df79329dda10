//! Machines and their latest numbers.

use std::sync::Arc;

use netmonitor_protocol::DeviceId;
use netmonitor_store::hub::{DeviceSettings, UserRole};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;

use super::tagged::{Of, Tagged};
use super::{Done, Tag};
use crate::admin::Command;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{Device, DeviceChange, DevicePage, ServicePage};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Devices")]
impl Routes {
    /// Lists all devices with their latest numbers.
    #[oai(path = "/devices", method = "get", operation_id = "list_devices")]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Json<DevicePage>, Problem> {
        let items = app.fleet().devices();
        Ok(Json(DevicePage { items, next: None }))
    }

    /// Tells one device with its latest numbers.
    #[oai(path = "/devices/:id", method = "get", operation_id = "get_device")]
    async fn get(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Tagged<Device>, Problem> {
        let device = parse(&id)?;
        let (known, revision) = {
            let fleet = app.fleet();
            (fleet.device(&device), fleet.revision(&device))
        };
        let mut shown = known.ok_or_else(|| no_device(&id))?;
        // A history that cannot be read hides nothing else.
        match app.with_history(move |history| history.lost(&device)).await {
            Ok(lost) => shown.samples_lost = (lost > 0).then_some(lost),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "history not read"),
        }
        Ok(Of::Device.tagged(revision, shown))
    }

    /// Changes the name of a device, its groups, whether it is always on, and behind which device it
    /// hangs: what is named only. Needs the role admin.
    ///
    /// With `If-Match` and the `ETag` of the answer that was read, nobody overwrites what somebody
    /// else has changed meanwhile: that is answered with 412.
    #[oai(
        path = "/devices/:id",
        method = "patch",
        operation_id = "change_device"
    )]
    async fn change_device(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
        /// `ETag` of the device that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<DeviceChange>,
    ) -> Result<Tagged<Device>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let device = parse(&id)?;
        let wish = Of::Device.wish(account.name, if_match.0.as_deref());
        let change = move |settings: &mut DeviceSettings| body.0.apply(settings);
        let stored = app.change_device(&device, wish, change).await?;
        let shown = app.fleet().device(&device);
        let shown = shown.ok_or_else(|| no_device(&id))?;
        Ok(Of::Device.tagged(stored.alerting.revision, shown))
    }

    /// Removes a device for good. Needs the role admin.
    ///
    /// Its credential is worth nothing from then on, its connection ends, and its retained topics
    /// are cleared. What was stored of it stays in the history until it is too old. A machine that
    /// was removed comes back with a new join code.
    #[oai(
        path = "/devices/:id",
        method = "delete",
        operation_id = "remove_device"
    )]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Done, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let command = Command::DeviceRemove { id: id.0 };
        app.administer(command, account.name).await?;
        Ok(Done::Done)
    }

    /// Lists the services of a device.
    #[oai(
        path = "/devices/:id/services",
        method = "get",
        operation_id = "list_services"
    )]
    async fn services(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Json<ServicePage>, Problem> {
        let services = app.fleet().services(&parse(&id)?);
        services.map(Json).ok_or_else(|| no_device(&id))
    }
}

/// What cannot be an id is the id of no device.
pub(super) fn parse(id: &str) -> Result<DeviceId, Problem> {
    id.parse().map_err(|_| no_device(id))
}

pub(super) fn no_device(id: &str) -> Problem {
    Problem::not_found(format!("There is no device {id:?}."))
}
