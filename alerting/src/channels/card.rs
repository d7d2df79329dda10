//! Messages as cards, with a colour and a title of their own: Discord and Teams.

use netmonitor_protocol::payload::Severity;
use netmonitor_rules::alert::{Notice, NoticeKind};
use serde_json::{Value, json};

use crate::words::{Words, shortened};

/// Characters of a title of Discord.
const DISCORD_TITLE: usize = 256;

/// Characters of the text of a card of Discord.
const DISCORD_TEXT: usize = 4096;

/// Characters of the text of a card of Teams: a message may have 28 kB.
const TEAMS_TEXT: usize = 10_000;

/// What the message is about, as colours say it.
enum Mood {
    Bad,
    Doubtful,
    Good,
    Neutral,
}

fn mood(notice: &Notice) -> Mood {
    match (notice.kind, notice.severity) {
        (NoticeKind::Resolved, _) => Mood::Good,
        (_, Severity::Critical) => Mood::Bad,
        (_, Severity::Warning) => Mood::Doubtful,
        (_, Severity::Info | Severity::Unknown) => Mood::Neutral,
    }
}

/// The text with a backslash before all that Markdown gives a meaning.
fn without_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\*_~`|[]<>#".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// <https://discord.com/developers/docs/resources/webhook#execute-webhook>
pub(super) fn discord(notice: &Notice, words: &Words) -> Value {
    let colour = match mood(notice) {
        Mood::Bad => 0x00d3_2f2f,
        Mood::Doubtful => 0x00f9_a825,
        Mood::Good => 0x0038_8e3c,
        Mood::Neutral => 0x0054_6e7a,
    };
    let mut card = json!({
        "title": shortened(&without_markdown(&words.title), DISCORD_TITLE),
        "description": shortened(&without_markdown(&words.text), DISCORD_TEXT),
        "color": colour,
    });
    if let Some(link) = &words.link {
        card["url"] = link.as_str().into();
    }
    // Whatever a machine calls itself, nobody is pinged.
    json!({ "embeds": [card], "allowed_mentions": { "parse": [] } })
}

/// An adaptive card, as the workflow "Post to a channel when a webhook request is received" takes it:
/// <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>
pub(super) fn teams(notice: &Notice, words: &Words) -> Value {
    let colour = match mood(notice) {
        Mood::Bad => "Attention",
        Mood::Doubtful => "Warning",
        Mood::Good => "Good",
        Mood::Neutral => "Default",
    };
    let mut body = vec![json!({
        "type": "TextBlock",
        "text": without_markdown(&words.title),
        "weight": "Bolder",
        "size": "Medium",
        "color": colour,
        "wrap": true,
    })];
    // A line feed is none in a block of text.
    let text = shortened(&words.text, TEAMS_TEXT);
    body.extend(text.lines().map(|line| {
        json!({
            "type": "TextBlock",
            "text": without_markdown(line),
            "spacing": "Small",
            "wrap": true,
        })
    }));
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if let Some(link) = &words.link {
        card["actions"] = json!([
            { "type": "Action.OpenUrl", "title": "NetMonitor", "url": link }
        ]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": card,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notice, told, words};
    use super::*;

    #[test]
    fn names_are_no_markdown_and_ping_nobody() {
        let words = Words {
            title: "web_1_a: @everyone [x](http://y)".to_owned(),
            ..words()
        };
        let notice = notice(NoticeKind::Firing, vec![told("ws-14")]);
        let body = discord(&notice, &words);
        let card = &body["embeds"][0];
        assert_eq!(card["title"], r"web\_1\_a: @everyone \[x\](http://y)");
        assert_eq!(card["url"], "http://hub/devices/ws-14");
        assert_eq!(body["allowed_mentions"]["parse"], json!([]));
    }

    #[test]
    fn a_card_of_teams_has_a_block_for_each_line() {
        let words = Words {
            text: "a\nb_c".to_owned(),
            ..words()
        };
        let body = teams(&notice(NoticeKind::Resolved, vec![told("ws-14")]), &words);
        let card = &body["attachments"][0]["content"];
        let texts: Vec<&str> = card["body"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["title", "a", r"b\_c"]);
        assert_eq!(card["body"][0]["color"], "Good");
        assert_eq!(card["actions"][0]["url"], "http://hub/devices/ws-14");
    }
}
