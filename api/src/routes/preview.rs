//! What rules would have done in the past.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::{AlertingSettings, Rules};
use netmonitor_rules::alert::effective;
use netmonitor_rules::preview::MAX_FIRINGS;
use netmonitor_service::clock;
use netmonitor_store::HubDb;
use netmonitor_store::hub::{DeviceSettings, UserRole};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::{Tag, devices};
use crate::app::App;
use crate::auth::Caller;
use crate::preview::{self, Question};
use crate::problem::Problem;
use crate::settings::rules;
use crate::types::{self, PreviewAnswer, PreviewFiring, PreviewQuestion, RuleValues};

/// So much past is looked at at most, in days of all devices together: a Raspberry Pi has some seconds
/// of work with it.
const MAX_DEVICE_DAYS: u32 = 210;

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Tells how often a rule would have fired in the past days, with what is set now or with other
    /// settings. Nothing is changed. Needs the role operator.
    ///
    /// Of a device that has sent nothing since the hub knows it nothing is known. `load` is looked at
    /// by the mean of one minute, since that is what is stored; `offline` by the log.
    #[oai(
        path = "/rules/preview",
        method = "post",
        operation_id = "preview_rule"
    )]
    async fn preview(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<PreviewQuestion>,
    ) -> Result<Json<PreviewAnswer>, Problem> {
        caller.at_least(UserRole::Operator)?;
        let kind = types::kind(&body.0.rule)?;
        if !preview::has_history(kind) {
            return Err(Problem::bad_request(format!(
                "The past of the rule {kind} is not stored: ask for cpu, ram, swap, disk, inodes, \
                 load, temperature, network or offline."
            )));
        }
        let asked = asked(&app, &body.0).await?;
        let devices = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        if devices > 1 && devices.saturating_mul(body.0.days) > MAX_DEVICE_DAYS {
            let days = MAX_DEVICE_DAYS / devices;
            return Err(Problem::bad_request(format!(
                "That is too much at once: of {devices} devices ask for {} days, or ask for one \
                 device.",
                days.max(1)
            )));
        }
        let turn = app.preview_turn.acquire().await;
        let _turn = turn.map_err(Problem::internal)?;
        let to = clock::now();
        let days = SignedDuration::from_hours(24 * i64::from(body.0.days));
        let begin = to.saturating_sub(days).unwrap_or(to);
        let mut answer = PreviewAnswer {
            count: 0,
            from: to.into(),
            to: to.into(),
            values: None,
            firings: Vec::new(),
        };
        for (device, config) in &asked {
            let question = Question {
                device: device.id.clone(),
                kind,
                target: body.0.target.clone(),
                config: *config,
                always_on: device.alerting.always_on,
                from: begin,
                to,
            };
            let found = app.preview(&question).await?;
            add(&mut answer, device.id.as_str(), found);
        }
        if let (Some(_), [(_, config)]) = (&body.0.device, asked.as_slice()) {
            answer.values = Some(RuleValues::from(*config));
        }
        answer.firings.sort_by_key(|it| it.since.0);
        let too_many = answer.firings.len().saturating_sub(MAX_FIRINGS);
        answer.firings.drain(..too_many);
        Ok(Json(answer))
    }
}

type Asked = Vec<(DeviceSettings, netmonitor_rules::alert::RuleConfig)>;

/// The devices, each with what would be in force.
async fn asked(app: &App, question: &PreviewQuestion) -> Result<Asked, Problem> {
    let mut fleet: Rules = app.settings::<AlertingSettings>().await?.rules;
    let kind = types::kind(&question.rule)?;
    let change = question.settings.clone();
    let Some(id) = &question.device else {
        change.apply(fleet.entry(kind).or_default());
        rules::check(&fleet, None)?;
        let all = app.with_hub(HubDb::all_device_settings).await;
        let all = all.map_err(Problem::internal)??.into_iter();
        let with_config = |device: DeviceSettings| {
            let config = effective(kind, &fleet, Some(&device.alerting.rules));
            (device, config)
        };
        return Ok(all.map(with_config).collect());
    };
    let device = app.device_settings(&devices::parse(id)?).await?;
    let mut own = device.alerting.rules.clone();
    change.apply(own.entry(kind).or_default());
    rules::check(&fleet, Some(&own))?;
    let config = effective(kind, &fleet, Some(&own));
    Ok(vec![(device, config)])
}

fn add(answer: &mut PreviewAnswer, device: &str, found: preview::Answer) {
    answer.count += found.count;
    if let Some(first) = found.first {
        let from: Timestamp = answer.from.0.min(first);
        answer.from = from.into();
    }
    let firings = found
        .firings
        .into_iter()
        .map(|(rule, firing)| PreviewFiring {
            device: device.to_owned(),
            rule: rule.to_string(),
            since: firing.since.into(),
            until: firing.until.map(Into::into),
        });
    answer.firings.extend(firings);
}
