//! Which of two versions of a package is the newer one (Debian Policy, section 5.6.12).

use std::cmp::Ordering;

/// Compares `[epoch:]upstream[-revision]`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    a.0.cmp(&b.0)
        .then_with(|| part(a.1, b.1))
        .then_with(|| part(a.2, b.2))
}

/// Epoch, upstream version, revision.
fn split(version: &str) -> (u64, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch.parse().unwrap_or_default(), upstream, revision)
}

/// Text and numbers in turn.
fn part<'a>(mut a: &'a str, mut b: &'a str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let ([text_a, text_b], rest_a, rest_b) = cut(a, b, |c| !c.is_ascii_digit());
        let order = text(text_a, text_b);
        if order != Ordering::Equal {
            return order;
        }
        let ([number_a, number_b], next_a, next_b) = cut(rest_a, rest_b, |c| c.is_ascii_digit());
        let order = number(number_a, number_b);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (next_a, next_b);
    }
    Ordering::Equal
}

/// What each begins with, and the rest.
fn cut<'a>(a: &'a str, b: &'a str, belongs: fn(char) -> bool) -> ([&'a str; 2], &'a str, &'a str) {
    let at = |text: &str| text.find(|c| !belongs(c)).unwrap_or(text.len());
    let (a, b) = (a.split_at(at(a)), b.split_at(at(b)));
    ([a.0, b.0], a.1, b.1)
}

/// A tilde stands before everything, even the end; letters before what is no letter.
fn text(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<u8>| match c {
        Some(b'~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(c),
        Some(c) => i32::from(c) + 256,
    };
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (x, y) = (a.next(), b.next());
        let order = weight(x).cmp(&weight(y));
        if order != Ordering::Equal || (x.is_none() && y.is_none()) {
            return order;
        }
    }
}

/// By their value, however many digits there are; nothing counts as 0.
fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_debian() {
        let in_order = [
            "1.0~beta1~svn1245",
            "1.0~beta1",
            "1.0",
            "1.0-1",
            "1.0-1+deb12u1",
            "1.0-1+deb12u2",
            "1.0-1.1",
            "1.0-2",
            "1.0a-1",
            "1.0+dfsg-1",
            "1.2-1",
            "1.10-1",
            "20240101000000000000000000001-1",
            "1:0.1-1",
        ];
        for (at, a) in in_order.iter().enumerate() {
            for (other, b) in in_order.iter().enumerate() {
                assert_eq!(compare(a, b), at.cmp(&other), "{a} {b}");
            }
        }
        assert_eq!(compare("1.00-0", "1.0-0"), Ordering::Equal);
        assert_eq!(compare("0:1.0", "1.0"), Ordering::Equal);
    }
}
