//! A message in words: what, where, since when, how much, and where to read more.

mod en;
mod figures;
mod fr;
mod texts;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netmonitor_protocol::{DeviceId, RuleKind, Subject};
use netmonitor_rules::alert::{Notice, NoticeKind, Told};

use figures::{clean, duration, figure};
use texts::{Of, Texts, texts};

pub use netmonitor_service::language::Language;

pub(crate) use figures::{plain, shortened};

/// Names in a title; the others are in the text.
const TITLE_NAMES: usize = 20;

/// Characters that names take in a title: what shows titles cuts long ones.
const TITLE_NAMES_LEN: usize = 120;

/// Alerts that have a line of their own in a text.
const LINES: usize = 20;

/// Names in the line after those.
const NAMES: usize = 200;

/// A message as people read it: plain text without control characters, but for line feeds in `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What and where, in one line.
    pub title: String,
    /// The rest.
    pub text: String,
    /// Where the dashboard shows more.
    pub link: Option<String>,
}

/// Puts a message into words. Times are those of the zone; without the dashboard's address there is
/// no link.
pub fn words(
    notice: &Notice,
    language: Language,
    zone: &TimeZone,
    dashboard_url: Option<&str>,
) -> Words {
    let writer = Writer {
        texts: texts(language),
        zone,
        notice,
    };
    let (title, text) = match notice.alerts.as_slice() {
        [] => (
            writer.texts.test.to_owned(),
            writer.texts.test_text.to_owned(),
        ),
        [told] => (writer.headline(told), writer.paragraph(told)),
        several => (writer.title(several), writer.list(several)),
    };
    let title = match notice.kind {
        NoticeKind::Reminder => (writer.texts.still)(&title),
        _ => title,
    };
    Words {
        title,
        text,
        link: dashboard_url.map(|url| link(url, notice)),
    }
}

/// The page of the device, or the one of all of them.
fn link(dashboard_url: &str, notice: &Notice) -> String {
    let base = dashboard_url.trim_end_matches('/');
    let mut devices = notice.alerts.iter().map(|told| told.subject.device());
    match devices.next().flatten() {
        Some(first) if devices.all(|device| device == Some(first)) => {
            format!("{base}/devices/{first}")
        }
        _ => format!("{base}/"),
    }
}

/// Why an alert has ended, if that is not because all is well.
fn ended_for(told: &Told, kind: NoticeKind) -> Option<&str> {
    let detail = told.detail.as_deref();
    detail.filter(|_| kind == NoticeKind::Resolved)
}

struct Writer<'a> {
    texts: &'static Texts,
    zone: &'a TimeZone,
    notice: &'a Notice,
}

impl Writer<'_> {
    fn name(&self, told: &Told) -> String {
        match (&told.subject, clean(&told.name)) {
            (Subject::Hub, _) => self.texts.hub.to_owned(),
            (Subject::Device(id), name) if name.is_empty() => id.to_string(),
            (Subject::Device(_), name) => name,
        }
    }

    fn figure(&self, told: &Told, value: Option<f64>) -> Option<String> {
        let unit = told.rule.kind().unit();
        value.map(|value| figure(self.texts, value, unit))
    }

    fn time(&self, time: Timestamp) -> String {
        let time = time.to_zoned(self.zone.clone());
        time.strftime(self.texts.time).to_string()
    }

    /// One alert in one line.
    fn headline(&self, told: &Told) -> String {
        let (name, value) = (self.name(told), self.figure(told, told.value));
        let target = clean(told.rule.target().unwrap_or_default());
        let detail = told.detail.as_deref().map(clean);
        let of = Of {
            kind: told.rule.kind(),
            name: &name,
            target: &target,
            value: value.as_deref(),
            detail: detail.as_deref(),
        };
        if self.notice.kind != NoticeKind::Resolved {
            let mut line = (self.texts.problem)(&of);
            if !told.behind.is_empty() {
                line += &(self.texts.and_behind)(told.behind.len());
            }
            line
        } else if told.detail.is_some() {
            (self.texts.ended)(&of)
        } else {
            (self.texts.fine)(&of)
        }
    }

    /// What is to be said of one alert beyond its headline.
    fn paragraph(&self, told: &Told) -> String {
        let mut lines = Vec::new();
        if let Some(detail) = &told.detail {
            lines.push(self.reason(told, detail));
        }
        lines.extend(self.numbers(told));
        lines.push(self.when(told));
        if !told.behind.is_empty() {
            let names: Vec<&str> = told.behind.iter().map(DeviceId::as_str).collect();
            let names = self.enumerate(&names, NAMES, usize::MAX);
            lines.push((self.texts.behind)(&names));
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    fn reason(&self, told: &Told, detail: &str) -> String {
        let known = match ended_for(told, self.notice.kind) {
            Some(detail) => (self.texts.why_ended)(detail),
            None => (self.texts.why)(told.rule.kind(), detail),
        };
        known.map_or_else(|| (self.texts.detail)(&clean(detail)), str::to_owned)
    }

    /// Value and limit. While it is wrong the value is in the headline; of days that are left nobody
    /// wants to know how many there are now.
    fn numbers(&self, told: &Told) -> Option<String> {
        let kind = told.rule.kind();
        let limit = self.figure(told, told.limit)?;
        if self.notice.kind == NoticeKind::Resolved {
            let (number, value) = (told.value?, self.figure(told, told.value)?);
            if kind.is_below() {
                return None;
            }
            let is_good = told.limit.is_some_and(|limit| number <= limit);
            let text = if is_good {
                self.texts.is
            } else {
                self.texts.was
            };
            return Some(text(&value, &limit));
        }
        let limit = (self.texts.limit)(&limit, kind.is_below());
        let full_on = told.value.filter(|_| kind == RuleKind::DiskTrend);
        let full_on = full_on.and_then(|days| self.in_days(days));
        Some(match full_on {
            Some(date) => format!("{} {limit}", (self.texts.full_on)(&date)),
            None => limit,
        })
    }

    /// The day that is so many days later.
    fn in_days(&self, days: f64) -> Option<String> {
        let later = jiff::SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
        let time = self.notice.time.checked_add(later).ok()?;
        let time = time.to_zoned(self.zone.clone());
        Some(time.strftime(self.texts.date).to_string())
    }

    fn when(&self, told: &Told) -> String {
        let lasted = self.notice.time.duration_since(told.since).as_secs();
        let (since, long) = (self.time(told.since), duration(self.texts, lasted));
        match self.notice.kind {
            NoticeKind::Resolved => {
                (self.texts.lasted)(&long, &since, &self.time(self.notice.time))
            }
            NoticeKind::Reminder => (self.texts.since_long)(&since, &long),
            NoticeKind::Firing | NoticeKind::Test => (self.texts.since)(&since),
        }
    }

    /// Several alerts in one line.
    fn title(&self, several: &[Told]) -> String {
        let is_absence = several.iter().all(|told| {
            told.rule.kind() == RuleKind::Offline && ended_for(told, self.notice.kind).is_none()
        });
        let mut names: Vec<String> = Vec::new();
        for told in several {
            let name = self.name(told);
            // Of a device with several alerts the name once, though they need not be together.
            if is_absence || !names.contains(&name) {
                names.push(name);
            }
        }
        let names = self.enumerate(&names, TITLE_NAMES, TITLE_NAMES_LEN);
        let text = match (self.notice.kind == NoticeKind::Resolved, is_absence) {
            (false, true) => self.texts.offline,
            (false, false) => self.texts.alerts,
            (true, true) => self.texts.back,
            (true, false) => self.texts.over,
        };
        text(several.len(), &names)
    }

    /// Several alerts, one a line as far as anybody reads that; of the others the names.
    fn list(&self, several: &[Told]) -> String {
        let (long, short) = several.split_at(several.len().min(LINES));
        let line = |told: &Told| {
            let more = self.paragraph(told).replace('\n', " ");
            format!("{}. {more}", self.headline(told))
        };
        let mut lines: Vec<String> = long.iter().map(line).collect();
        if !short.is_empty() {
            let names: Vec<String> = short.iter().map(|told| self.name(told)).collect();
            lines.push((self.texts.also)(&self.enumerate(
                &names,
                NAMES,
                usize::MAX,
            )));
        }
        lines.join("\n")
    }

    /// Names, as many as there is room for, the first in any case.
    fn enumerate(&self, names: &[impl AsRef<str>], most: usize, most_len: usize) -> String {
        let mut len = 0;
        let fits = names.iter().take(most).take_while(|name| {
            len += name.as_ref().chars().count() + 2;
            len <= most_len
        });
        let count = fits.count().max(1);
        let shown: Vec<&str> = names.iter().take(count).map(AsRef::as_ref).collect();
        let shown = shown.join(", ");
        match names.len().saturating_sub(count) {
            0 => shown,
            more => (self.texts.and_more)(&shown, more),
        }
    }
}

#[cfg(test)]
mod tests;
