//! What an admin has set, as far as messages are concerned.

use jiff::tz::TimeZone;
use netmonitor_protocol::payload::{AlertingSettings, Channel, Channels, WeeklyHours};
use netmonitor_rules::alert::Notice;
use netmonitor_service::clock;
use netmonitor_service::language::Language;

use crate::parcel::Parcel;
use crate::routing::{Quiet, Routed, address, route};
use crate::words::{Words, words};

/// Who is told of what, when, and in which words.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) channels: Channels,
    quiet_hours: Vec<WeeklyHours>,
    zone: TimeZone,
    language: Language,
    /// That of the hub's system.
    own_language: Language,
    dashboard_url: Option<String>,
}

impl Policy {
    /// Nobody is told of anything.
    pub(crate) fn new(own_language: Language) -> Self {
        Self {
            channels: Channels::default(),
            quiet_hours: Vec::new(),
            zone: TimeZone::UTC,
            language: own_language,
            own_language,
            dashboard_url: None,
        }
    }

    /// Takes over what is set for alerts. `zone`: the one that it names.
    pub(crate) fn set(&mut self, settings: &AlertingSettings, zone: TimeZone) {
        let language = settings.language.as_deref();
        self.quiet_hours.clone_from(&settings.quiet_hours);
        self.zone = zone;
        self.language = language.map_or(self.own_language, |it| Language::of(Some(it)));
        self.dashboard_url.clone_from(&settings.dashboard_url);
    }

    /// In which hours are meant.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.channels.iter().find(|it| it.id == id)
    }

    /// What a channel is to be told of a message that is addressed to it, and when. None: nothing.
    pub(crate) fn route(&self, channel: &Channel, notice: &Notice) -> Option<Routed> {
        route(channel, notice, &self.quiet(), clock::now())
    }

    /// Whether the quiet hours kept this back when it was made.
    pub(crate) fn held_back(&self, parcel: &Parcel) -> bool {
        let channel = self.channel(&parcel.channel);
        let routed =
            channel.and_then(|it| route(it, &parcel.notice, &self.quiet(), parcel.made_at));
        routed.is_some_and(|it| it.not_before.is_some())
    }

    /// The messages to the channels that are to be told of this.
    pub(crate) fn address(&self, notice: &Notice) -> Vec<Parcel> {
        let now = clock::now();
        let quiet = self.quiet();
        let parcels = self.channels.channels.iter().filter_map(|channel| {
            Some(Parcel {
                channel: channel.id.clone(),
                notice: address(channel, notice, &quiet, now)?,
                made_at: now,
            })
        });
        parcels.collect()
    }

    pub(crate) fn words(&self, notice: &Notice) -> Words {
        let dashboard = self.dashboard_url.as_deref();
        words(notice, self.language, &self.zone, dashboard)
    }

    fn quiet(&self) -> Quiet<'_> {
        Quiet {
            hours: &self.quiet_hours,
            zone: &self.zone,
        }
    }
}
