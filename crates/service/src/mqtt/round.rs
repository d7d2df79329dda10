//! In which order the addresses of a broker are tried.

use super::dial::Target;

/// What is tried before the next wait: the address that has worked last, or the first of the
/// list; before it those that answered a moment ago. The others are not tried in vain: whether
/// they answer is found out during the wait (see [`reachable`](super::reachable())).
pub(super) fn round(
    mut targets: Vec<Target>,
    worked: Option<&str>,
    answered: &[String],
) -> Vec<Target> {
    let worked = targets
        .iter()
        .position(|target| Some(target.endpoint.to_string().as_str()) == worked);
    if let Some(worked) = worked {
        targets[..=worked].rotate_right(1);
    }
    let best = targets.first().cloned();
    targets.retain(|target| answered.contains(&target.endpoint.to_string()));
    if let Some(best) = best
        && !targets.iter().any(|it| it.endpoint.is(&best.endpoint))
    {
        targets.push(best);
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::mqtt::Endpoint;

    fn check(list: &[&str], worked: Option<&str>, answered: &[&str], expected: &[&str]) {
        let targets = list
            .iter()
            .filter_map(|text| Endpoint::parse(text, None))
            .map(|endpoint| Target {
                endpoint,
                user: "ws-14".to_owned(),
                password: Secret::new("x"),
            })
            .collect();
        let answered: Vec<String> = answered.iter().map(|&text| text.to_owned()).collect();
        let tried: Vec<String> = round(targets, worked, &answered)
            .iter()
            .map(|target| target.endpoint.to_string())
            .collect();
        assert_eq!(tried, expected);
    }

    #[test]
    fn at_first_it_is_the_best_address_alone() {
        check(&["a:1", "b:2"], None, &[], &["a:1"]);
        check(&["a:1", "b:2"], Some("b:2"), &[], &["b:2"]);
        check(&["a:1"], Some("gone:1"), &[], &["a:1"]);
        check(&[], None, &[], &[]);
    }

    #[test]
    fn addresses_that_answer_go_before_one_that_does_not() {
        let list = ["a:1", "b:2", "c:3", "d:4"];
        check(&list, None, &["c:3", "d:4"], &["c:3", "d:4", "a:1"]);
        check(&list, Some("b:2"), &["a:1"], &["a:1", "b:2"]);
        check(&list, Some("d:4"), &["a:1", "d:4"], &["d:4", "a:1"]);
    }
}
