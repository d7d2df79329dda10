//! What an admin can set about one device.

use std::sync::Arc;

use netmonitor_protocol::payload::AlertingSettings;
use netmonitor_store::hub::{DeviceSettings as Stored, UserRole};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;

use super::tagged::{Of, Tagged};
use super::{Tag, devices};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{DeviceSettings, DeviceSettingsChange};

pub(crate) struct Routes;

fn shown(stored: &Stored, fleet: &AlertingSettings) -> Tagged<DeviceSettings> {
    let settings = DeviceSettings::new(stored, fleet);
    Of::Device.tagged(settings.revision, settings)
}

#[OpenApi(tag = "Tag::Devices")]
impl Routes {
    /// Tells what is set for the agent of a device.
    #[oai(
        path = "/devices/:id/settings",
        method = "get",
        operation_id = "get_device_settings"
    )]
    async fn get(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Tagged<DeviceSettings>, Problem> {
        let stored = app.device_settings(&devices::parse(&id)?).await?;
        Ok(shown(&stored, &app.settings().await?))
    }

    /// Changes what is set for the agent of a device, what is named only. It takes effect at once.
    /// Needs the role admin.
    #[oai(
        path = "/devices/:id/settings",
        method = "patch",
        operation_id = "change_device_settings"
    )]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
        /// `ETag` of the settings that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<DeviceSettingsChange>,
    ) -> Result<Tagged<DeviceSettings>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let id = devices::parse(&id)?;
        let wish = Of::Device.wish(account.name, if_match.0.as_deref());
        let change = move |settings: &mut Stored| {
            body.0.apply(settings);
            Ok(())
        };
        let stored = app.change_device(&id, wish, change).await?;
        Ok(shown(&stored, &app.settings().await?))
    }
}
