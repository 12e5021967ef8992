//! Reads cases that are data.

use mailverdict::{
    dns::{LookupError, RecordType, Zone},
    name::Name,
};
use saphyr::Yaml;

pub fn text<'y>(case: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
    case.as_mapping_get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text: {value:?}")))
}

pub fn list(case: &Yaml<'_>, key: &str) -> Vec<String> {
    let items = case.as_mapping_get(key).and_then(Yaml::as_sequence).into_iter().flatten();
    items.map(|item| item.as_str().unwrap_or_else(|| panic!("{key} is no list of texts")).to_owned()).collect()
}

/// The case's own zone, where the names under `fail` have no answer.
pub fn zone(case: &Yaml<'_>) -> Zone {
    let mut zone = Zone::parse(text(case, "zone").unwrap_or_default(), text(case, "name").unwrap()).unwrap();
    for failing in text(case, "fail").unwrap_or_default().split_whitespace() {
        zone.plant(&Name::parse(failing).unwrap(), RecordType::Txt, LookupError::Timeout);
    }
    zone
}
