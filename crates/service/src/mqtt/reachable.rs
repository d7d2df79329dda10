//! Which of several addresses answer at all.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::Endpoint;

/// Tries all addresses at the same time and closes each connection at once: nothing is said, no
/// password is told. Returns those that accepted within `within`, in the order given. However
/// many are dead, it takes no longer.
pub async fn reachable(endpoints: &[Endpoint], within: Duration) -> Vec<Endpoint> {
    let deadline = Instant::now() + within;
    let mut attempts = JoinSet::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        let Endpoint { host, port, .. } = endpoint.clone();
        attempts.spawn(async move {
            let connected = timeout_at(deadline, TcpStream::connect((host, port))).await;
            matches!(connected, Ok(Ok(_))).then_some(index)
        });
    }
    let mut answered = Vec::new();
    while let Some(outcome) = attempts.join_next().await {
        answered.extend(outcome.ok().flatten());
    }
    answered.sort_unstable();
    answered
        .into_iter()
        .filter_map(|index| endpoints.get(index).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn those_that_answer_are_found_among_many_that_do_not() {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let second = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // 192.0.2.0/24 is for documentation: nobody answers there (RFC 5737). A machine that has one
        // of these addresses all the same may be a hub: not on this port.
        let mut texts: Vec<String> = (1..14).map(|n| format!("192.0.2.{n}:1")).collect();
        texts.push("127.0.0.1:1".to_owned());
        texts.insert(3, first.local_addr().unwrap().to_string());
        texts.push(second.local_addr().unwrap().to_string());
        let endpoints: Vec<Endpoint> = texts
            .iter()
            .filter_map(|text| Endpoint::parse(text, None))
            .collect();
        let found: Vec<String> = reachable(&endpoints, Duration::from_millis(500))
            .await
            .iter()
            .map(Endpoint::to_string)
            .collect();
        assert_eq!(found, [texts[3].clone(), texts[15].clone()]);
    }
}
