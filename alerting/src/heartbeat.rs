//! An address that is asked now and then: whoever is behind it notices when the hub is gone.

use std::time::Duration;

use netmonitor_protocol::payload::Heartbeat;
use netmonitor_service::channel_secrets::{ChannelSecret, SecretOf};
use netmonitor_service::{Counters, DataDir};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::channels::{SendError, TIMEOUT, no_answer};
use crate::http::{Address, Request, exchange};

/// Nobody needs to be asked more often.
const SHORTEST: Duration = Duration::from_secs(10);

/// Asks as often as the settings say, beginning when they change, until nobody sends settings any
/// more. What goes well and what fails is counted as `heartbeats` and `heartbeats_failed`.
pub async fn run(
    data_dir: DataDir,
    mut settings: watch::Receiver<Option<Heartbeat>>,
    counters: Counters,
) {
    let mut has_failed = false;
    loop {
        let wanted = settings.borrow_and_update().clone();
        let Some(heartbeat) = wanted.filter(|it| it.enabled) else {
            has_failed = false;
            if settings.changed().await.is_err() {
                return;
            }
            continue;
        };
        let begin = Instant::now();
        match beat(&data_dir, TIMEOUT).await {
            Ok(answer) => {
                counters.count("heartbeats");
                tracing::debug!(answer, "heartbeat");
                if std::mem::take(&mut has_failed) {
                    tracing::info!("the address of the heartbeat answers again");
                }
            }
            Err(error) => {
                counters.count("heartbeats_failed");
                if !std::mem::replace(&mut has_failed, true) {
                    let error = error.to_string();
                    tracing::warn!(error, "the address of the heartbeat does not answer");
                }
            }
        }
        let every = Duration::from_secs(heartbeat.every_secs.into()).max(SHORTEST);
        tokio::select! {
            () = sleep_until(begin + every) => {}
            changed = settings.changed() => if changed.is_err() { return },
        }
    }
}

/// Asks once, for whoever wants to see whether it answers, and returns in short what.
pub async fn beat(data_dir: &DataDir, patience: Duration) -> Result<String, SendError> {
    let secret = ChannelSecret::read(data_dir, SecretOf::Heartbeat).map_err(|error| {
        SendError::passing(format!(
            "the address of the heartbeat cannot be read: {error}"
        ))
    })?;
    let url = secret
        .url
        .ok_or_else(|| SendError::permanent("the address of the heartbeat is missing"))?;
    let address = Address::parse(url.expose())?;
    let answer = timeout(patience, exchange(&address, Request::get())).await;
    answer.unwrap_or_else(|_| Err(no_answer(patience)))
}

#[cfg(test)]
mod tests {
    use netmonitor_service::Secret;
    use tokio::time::advance;

    use super::*;

    fn every(secs: u32) -> Heartbeat {
        Heartbeat {
            enabled: true,
            every_secs: secs,
            secret_revision: 0,
        }
    }

    /// Without an address each time fails at once: what is looked at is when.
    #[tokio::test(start_paused = true)]
    async fn it_asks_as_often_as_the_settings_say_and_not_more() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(folder.path().to_owned());
        let counters = Counters::default();
        let count = || {
            let all = counters.snapshot();
            all.get("heartbeats_failed").copied().unwrap_or_default()
        };
        let (settings, receiver) = watch::channel(None);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(run(data_dir, receiver, counters.clone()));
        let pass = async |secs| {
            // So that it has done what there was to do before the time passes, and after.
            for step in [0, secs] {
                advance(Duration::from_secs(step)).await;
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            }
        };
        pass(100).await;
        assert_eq!(count(), 0, "nobody has told it to");
        settings.send_replace(Some(every(60)));
        pass(59).await;
        assert_eq!(count(), 1, "at once, and not again before the time");
        pass(1).await;
        assert_eq!(count(), 2);
        settings.send_replace(Some(every(0)));
        pass(9).await;
        assert_eq!(count(), 3, "never as often as it could");
        pass(1).await;
        assert_eq!(count(), 4);
        settings.send_replace(Some(Heartbeat {
            enabled: false,
            ..every(60)
        }));
        pass(100).await;
        assert_eq!(count(), 4);
        drop(settings);
        assert!(
            tasks.join_next().await.is_some(),
            "it ends with who tells it"
        );
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(folder.path().to_owned());
        let secret = ChannelSecret {
            url: Some(Secret::new("hc.example.org/geheim")),
            ..ChannelSecret::default()
        };
        secret.write(&data_dir, SecretOf::Heartbeat).unwrap();
        let error = beat(&data_dir, TIMEOUT).await.unwrap_err();
        assert!(error.is_permanent && !error.text.contains("geheim"));
    }
}
