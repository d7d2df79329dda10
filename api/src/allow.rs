//! A wrong method is answered with the right ones (`Allow`, RFC 9110, section 15.5.6). They stand
//! in the document of the API.

use std::sync::Arc;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, IntoResponse as _, Request, Response};

use crate::problem;

/// The methods of every path of the API.
#[derive(Debug)]
pub(crate) struct Allowed(Vec<(Vec<String>, HeaderValue)>);

impl Allowed {
    /// From the OpenAPI document.
    pub(crate) fn new(document: &str) -> Self {
        let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
        let paths = document["paths"].as_object().into_iter().flatten();
        let of_path = |(path, methods): (&String, &serde_json::Value)| {
            let methods = methods.as_object()?.keys();
            let mut methods: Vec<String> = methods.map(|it| it.to_uppercase()).collect();
            methods.sort_unstable();
            let levels = path.split('/').map(str::to_owned).collect();
            Some((levels, methods.join(", ").parse().ok()?))
        };
        Self(paths.filter_map(of_path).collect())
    }

    fn methods(&self, path: &str) -> Option<HeaderValue> {
        let fits = |template: &[String]| {
            let levels: Vec<&str> = path.split('/').collect();
            let same = |(level, given): (&String, &&str)| level.starts_with('{') || level == given;
            levels.len() == template.len() && template.iter().zip(&levels).all(same)
        };
        let found = self.0.iter().find(|(template, _)| fits(template));
        found.map(|(_, methods)| methods.clone())
    }

    /// Answers with `endpoint`, and says after a wrong method which ones there are.
    pub(crate) async fn tell<E: Endpoint>(
        self: Arc<Self>,
        endpoint: Arc<E>,
        request: Request,
    ) -> poem::Result<Response> {
        let path = request.uri().path().to_owned();
        let error = match endpoint.call(request).await {
            Ok(output) => return Ok(output.into_response()),
            Err(error) if error.status() != StatusCode::METHOD_NOT_ALLOWED => return Err(error),
            Err(error) => error,
        };
        let mut response = problem::from_poem(error).await;
        if let Some(methods) = self.methods(&path) {
            response.headers_mut().insert(header::ALLOW, methods);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_of_a_path_are_those_of_the_document() {
        let allowed = Allowed::new(&crate::openapi_json());
        let check = |path: &str, expected: Option<&str>| {
            let found = allowed.methods(path);
            assert_eq!(
                found.as_ref().map(|it| it.to_str().unwrap()),
                expected,
                "{path}"
            );
        };
        check("/devices/ws-14", Some("DELETE, GET, PATCH"));
        check("/devices", Some("GET"));
        check("/mqtt-users", Some("GET, POST"));
        check("/mqtt-users/home", Some("DELETE"));
        check("/nothing", None);
        check("/devices/a/b/c", None);
    }
}
