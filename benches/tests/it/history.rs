//! The comparison of stores, with those that are a library.

use std::process::Command;

use serde_json::Value;

#[test]
fn every_embedded_store_is_filled_with_the_same_samples_and_measured() {
    let output = Command::new(env!("CARGO_BIN_EXE_history"))
        .args(["--days", "0.05", "--only", "size", "--json"])
        .args(["--store", "ours", "--store", "rows", "--store", "reports"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<Value> = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let sizes = rows.iter().filter(|row| {
        let name = row["row"].as_str().unwrap();
        name.ends_with("on disk per sample")
    });
    let mut sets = 0;
    for row in sizes {
        sets += 1;
        for store in ["ours", "rows", "reports"] {
            let bytes = row["values"][store].as_f64().unwrap();
            assert!((0.1..200.0).contains(&bytes), "{row}");
        }
    }
    assert_eq!(sets, 3);
}
