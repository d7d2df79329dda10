//! Samples of the past, in columns.

use std::borrow::Cow;
use std::collections::BTreeMap;

use netmonitor_store::history::Columns;
use poem::{IntoResponse, Response};
use poem_openapi::payload::Json;
use poem_openapi::registry::{MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, ParseResult, ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;
use serde_json::Value;

/// Samples of one device: times, and for each series a value per time.
#[derive(Debug, Clone, PartialEq, Object, Serialize)]
pub struct History {
    /// Begin of the range, in milliseconds since 1970.
    pub from: i64,
    /// End of the range, in milliseconds since 1970.
    pub to: i64,
    /// Milliseconds since 1970, ascending.
    pub times: Vec<i64>,
    /// By name: in percent `cpu`, `cpu_user`, `cpu_system`, `cpu_iowait`, `cpu_steal`, `ram`,
    /// `swap`, `psi_cpu`, `psi_memory`, `psi_io`, `disk:{mount}`, `inodes:{mount}`,
    /// `busy:{drive}`, `battery:{name}`, `gpu:{name}`, `container_cpu:{name}`; `rx:{interface}`,
    /// `tx:{interface}`, `read:{drive}` and `written:{drive}` in bytes per second;
    /// `container_memory_bytes:{name}` in bytes, `temp:{sensor}` in degrees Celsius,
    /// `fan:{sensor}` in revolutions per minute, `signal:{interface}` in dBm, `freq` in MHz;
    /// `load1` and `processes` are numbers.
    pub series: BTreeMap<String, Series>,
}

/// One series, as long as `times`; null where nothing was measured.
#[derive(Debug, Clone, PartialEq, Object, Serialize)]
pub struct Series {
    /// Mean of what the time stands for.
    pub mean: Vec<Point>,
    /// Smallest.
    pub min: Vec<Point>,
    /// Largest.
    pub max: Vec<Point>,
}

/// A number, or null where nothing was measured. A type of its own, because the document would
/// not say of an `Option` in a list that it may be null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point(pub Option<f64>);

impl Type for Point {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "number_or_null".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            nullable: true,
            ..MetaSchema::new_with_format("number", "double")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for Point {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.map_or(Value::Null, Value::from))
    }
}

impl ParseFromJSON for Point {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(Self(value.and_then(|value| value.as_f64())))
    }
}

impl History {
    /// The columns of a range.
    pub fn new(from: i64, to: i64, columns: Columns) -> Self {
        let points = |values: Vec<Option<f64>>| values.into_iter().map(Point).collect();
        let series = columns
            .series
            .into_iter()
            .map(|(name, series)| {
                let series = Series {
                    mean: points(series.mean),
                    min: points(series.min),
                    max: points(series.max),
                };
                (name, series)
            })
            .collect();
        Self {
            from,
            to,
            times: columns.times,
            series,
        }
    }
}

/// A history as the answer to a request: the same as in [`Json`], but written number by number.
/// The tree of JSON values that is made there takes several times as much memory as the text.
pub(crate) struct HistoryJson(pub(crate) History);

impl IntoResponse for HistoryJson {
    fn into_response(self) -> Response {
        poem::web::Json(self.0).into_response()
    }
}

impl ApiResponse for HistoryJson {
    fn meta() -> MetaResponses {
        Json::<History>::meta()
    }

    fn register(registry: &mut Registry) {
        <Json<History> as ApiResponse>::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_store::history::Series;

    use super::*;

    #[tokio::test]
    async fn a_history_is_answered_as_the_document_says() {
        let values = vec![Some(0.1), None, Some(1e9)];
        let series = Series {
            mean: values.clone(),
            min: values.clone(),
            max: values,
        };
        let columns = Columns {
            times: vec![-1, 0, 1_800_000_000_000],
            series: BTreeMap::from([("cpu".to_owned(), series)]),
        };
        let history = History::new(-5, 1_800_000_000_000, columns);
        let documented = Json(history.clone()).into_response();
        let answer = HistoryJson(history).into_response();
        assert_eq!(answer.headers(), documented.headers());
        let text = answer.into_body().into_string().await.unwrap();
        let documented = documented.into_body().into_string().await.unwrap();
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(&text), value(&documented));
        assert!(text.contains(r#""mean":[0.1,null,1000000000.0]"#), "{text}");
    }
}
