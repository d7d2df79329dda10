//! The table for people.

use super::{PRIVATE_ROOT, PUBLIC_ROOT, Party, Retained, Row, TOPICS};

/// The table as Markdown: `docs/ref/topics.md` holds what this returns.
pub fn markdown() -> String {
    [
        (PUBLIC_ROOT, "Public topics"),
        (
            PRIVATE_ROOT,
            "Private topics, for the hub's own services only",
        ),
    ]
    .map(|(root, heading)| {
        let rows: Vec<String> = TOPICS
            .iter()
            .filter(|row| row.root == root)
            .map(Row::markdown)
            .collect();
        format!(
            "## {heading}\n\nBelow `{root}`:\n\n\
             | topic | payload | QoS | retained | from | to |\n|---|---|---|---|---|---|\n{}\n",
            rows.join("\n")
        )
    })
    .join("\n")
}

impl Row {
    fn markdown(&self) -> String {
        let parties = |list: &[Party]| {
            let names: Vec<String> = list.iter().map(Party::to_string).collect();
            names.join(", ")
        };
        format!(
            "| `{}` | {} | {} | {} | {} | {} |",
            self.pattern,
            self.payload,
            self.qos.level(),
            match self.retained {
                Retained::No => "no",
                Retained::Promptly => "yes",
                Retained::NowAndThen => "yes, on disk now and then",
                Retained::InMemory => "yes, not on disk",
            },
            parties(self.from),
            parties(self.to),
        )
    }
}
