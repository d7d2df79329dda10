//! One file of the UI, with its compressed forms.

use std::borrow::Cow;
use std::fmt::Write as _;

use rust_embed::RustEmbed;

/// The file that answers for every page of the UI.
const INDEX: &str = "index.html";

/// Vite puts the files whose names carry a hash of their content here, and nothing else.
const HASHED: &str = "assets/";

#[derive(RustEmbed)]
#[folder = "$NETMONITOR_WEB_EMBEDDED"]
struct Files;

/// One file of the UI.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The file as it is.
    pub bytes: Cow<'static, [u8]>,
    /// The same, for `Content-Encoding: br`; `None` where that saves nothing.
    pub brotli: Option<Cow<'static, [u8]>>,
    /// The same, for `Content-Encoding: gzip`; `None` where that saves nothing.
    pub gzip: Option<Cow<'static, [u8]>>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Whether the name changes with the content, so that a browser may keep it for ever.
    /// Everything else must be asked for again (`no-cache`).
    pub immutable: bool,
    /// The value of `ETag`, with its quotes, made from the uncompressed content.
    pub etag: String,
}

/// The file at `path` (`assets/index-4f3a.js`; a leading `/` is ignored), if the UI has one.
/// A path that is a page of the UI (`devices/nas`) has none: answer it with [`index`].
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if matches!(extension(path), "br" | "gz") {
        return None;
    }
    let file = Files::get(path)?;
    let mut etag = String::with_capacity(34);
    etag.push('"');
    for byte in &file.metadata.sha256_hash()[..16] {
        // Writing to a String cannot fail.
        _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    Some(Asset {
        bytes: file.data,
        brotli: Files::get(&format!("{path}.br")).map(|file| file.data),
        gzip: Files::get(&format!("{path}.gz")).map(|file| file.data),
        content_type: content_type(path),
        immutable: path.starts_with(HASHED),
        etag,
    })
}

/// The page itself. Its scripts find out from the address what to show.
pub fn index() -> Asset {
    asset(INDEX).expect("the build script has seen index.html")
}

fn content_type(path: &str) -> &'static str {
    match extension(path) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The addresses that the index refers to.
    fn referred() -> Vec<String> {
        let html = String::from_utf8(index().bytes.into_owned()).unwrap();
        html.split('"')
            .filter(|part| part.starts_with('/') && part.contains('.'))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_index_is_html_that_is_asked_for_again() {
        let index = index();
        assert_eq!(index.content_type, "text/html; charset=utf-8");
        assert!(!index.immutable);
        assert!(index.etag.starts_with('"') && index.etag.ends_with('"'));
    }

    #[test]
    fn everything_the_index_refers_to_is_embedded_with_a_known_type() {
        let referred = referred();
        assert!(referred.iter().any(|path| extension(path) == "js"));
        for path in &referred {
            let asset = asset(path).unwrap_or_else(|| panic!("{path} is missing"));
            assert_ne!(asset.content_type, "application/octet-stream", "{path}");
        }
    }

    #[test]
    fn what_the_first_page_needs_is_small() {
        let sent = |path: String| {
            let asset = asset(&path).unwrap();
            asset.gzip.unwrap_or(asset.bytes).len()
        };
        let bytes: usize = referred().into_iter().map(sent).sum();
        assert!(bytes < 150_000, "{bytes} bytes");
    }

    #[test]
    fn hashed_files_are_immutable_and_others_are_not() {
        for path in referred() {
            let asset = asset(&path).unwrap();
            assert_eq!(asset.immutable, path.starts_with("/assets/"), "{path}");
        }
    }

    #[test]
    fn compressed_forms_are_smaller_and_not_files_of_their_own() {
        let script = referred()
            .into_iter()
            .find(|path| path.starts_with("/assets/") && extension(path) == "js")
            .unwrap();
        let found = asset(&script).unwrap();
        let (brotli, gzip) = (found.brotli.unwrap(), found.gzip.unwrap());
        assert!(brotli.len() < gzip.len() && gzip.len() < found.bytes.len());
        assert!(asset(&format!("{script}.br")).is_none());
    }

    #[test]
    fn the_page_runs_under_a_policy_without_inline_code() {
        let html = String::from_utf8(index().bytes.into_owned()).unwrap();
        assert!(!html.contains("<style") && !html.contains(" style="));
        assert!(!html.contains("<script>"));
        assert!(!html.contains("http://") && !html.contains("https://"));
    }

    #[test]
    fn a_page_of_the_ui_is_not_a_file() {
        assert!(asset("devices/nas").is_none());
        assert!(asset("../Cargo.toml").is_none());
    }
}
