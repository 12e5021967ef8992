//! The keys that reports tell of, for a look at a domain.

use super::files;
use crate::failure::Failure;
use mailverdict::{
    lint::Scope,
    report::{Found, ReadError, ReadLimits, Report},
};
use std::path::PathBuf;

/// Adds the keys of the domain of which reports tell.
pub(crate) fn keys(paths: &[PathBuf], mut scope: Scope) -> Result<Scope, Failure> {
    files::each(paths, ReadLimits::default(), &mut |file, found| {
        let failed = |error: String| Failure::Usage(format!("{file}: {error}"));
        let Found { report, .. } = found.map_err(failed)?;
        let report = report.map_err(|error| failed(error.to_string()))?;
        if let Report::Aggregate(report) = &report {
            let added = report.for_each_row(|row| {
                scope.add_row(&row);
                Ok::<(), ReadError>(())
            });
            added.map_err(|error| failed(error.to_string()))?;
        }
        Ok::<(), Failure>(())
    })?;
    Ok(scope)
}
