//! Tables for people at a terminal, and for scripts that take them apart.

use super::Outcome;

/// Columns under a heading, filled with blanks so that they stand below each other. An empty
/// field is a dash, so that every line has the same number of words, but for the names in them.
pub(super) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Outcome {
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(rows);
    for field in lines.iter_mut().flatten().filter(|field| field.is_empty()) {
        "-".clone_into(field);
    }
    let mut widths = [0; N];
    for line in &lines {
        for (width, field) in widths.iter_mut().zip(line) {
            *width = field.chars().count().max(*width);
        }
    }
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            let fields = line.iter().zip(widths);
            let padded: Vec<String> = fields
                .map(|(field, width)| format!("{field:width$}"))
                .collect();
            padded.join("  ").trim_end().to_owned()
        })
        .collect();
    Outcome {
        output: shown.join("\n"),
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_nothing_is_empty() {
        let rows = [
            [
                "homeassistant".to_owned(),
                "reader".to_owned(),
                String::new(),
            ],
            ["zo\u{eb}".to_owned(), "none".to_owned(), "a/#".to_owned()],
        ];
        let text = table(["NAME", "ROLE", "PUBLISH"], rows).output;
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "NAME           ROLE    PUBLISH",
                "homeassistant  reader  -",
                "zo\u{eb}            none    a/#",
            ]
        );
    }
}
