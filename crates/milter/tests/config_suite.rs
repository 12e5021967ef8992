//! The configuration: its defaults, and what is said of bad ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mailverdict_milter::config::{Action, Config, LogFormat, LogLevel, Size};
use std::{path::Path, time::Duration};

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("milter.toml")).map_err(|error| error.to_string())
}

#[test]
fn each_key_but_one_has_a_default() {
    let config = parse("authserv_id = \"mx.example.net\"").unwrap();
    assert!(
        config.listen.is_empty() && config.upstream_relays.is_empty() && !config.dry_run && config.skip_authenticated
    );
    assert_eq!(config.socket_mode, 0o660);
    assert_eq!(config.own_networks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["127.0.0.0/8", "::1/128"]);
    assert_eq!((config.dns.timeout, config.dns.servers.len()), (Duration::from_secs(20), 0));
    let limits = config.limits;
    assert_eq!((limits.body, limits.connections, limits.headers), (Size(64 << 20), 512, Size(1 << 20)));
    assert_eq!((limits.idle, limits.shutdown), (Duration::from_secs(7200), Duration::from_secs(30)));
    let actions = config.actions;
    assert_eq!((actions.dmarc_reject, actions.dmarc_quarantine), (Action::Quarantine, Action::Quarantine));
    assert_eq!((actions.dmarc_temperror, actions.spf_fail), (Action::None, Action::None));
    assert_eq!((actions.several_from, actions.over_limit), (Action::Reject, Action::Tempfail));
    let headers = config.headers;
    assert!(headers.authentication_results && !headers.received_spf && headers.strip_forged);
    assert!(config.reports.history.is_none() && config.metrics.listen.is_none());
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, LogLevel::Info));
    assert!(parse("").unwrap_err().contains("missing field `authserv_id`"));
}

#[test]
fn all_keys_are_read() {
    let config = parse(include_str!("../mailverdict-milter.toml")).unwrap();
    assert_eq!(config.listen.len(), 2);
    let own = |ip: &str| config.is_own(ip.parse().unwrap());
    assert!(own("127.0.0.1") && own("::1") && !own("192.0.2.1"));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_key() {
    for (text, told) in [
        ("authserv_id = \"\"", "milter.toml:1: authserv_id: \"\": expected a name of printable ASCII"),
        ("authserv_id = \"a b\"", "milter.toml:1: authserv_id: \"a b\": expected a name"),
        ("authserv_id = \"a\"\nlisten = \"inet:127.0.0.1:1\"", "milter.toml:2: listen: invalid type: string"),
        (
            "authserv_id = \"a\"\nlisten = [\"mx.example:1\"]",
            "milter.toml:2: listen: \"mx.example:1\": expected a place",
        ),
        ("authserv_id = \"a\"\n\nlisten_on = []", "milter.toml:3: unknown field `listen_on`"),
        ("authserv_id = \"a\"\nauthserv_id = \"b\"", "milter.toml:2: authserv_id: duplicate key"),
        (
            "authserv_id = \"a\"\n[dns]\nservers = [\"ns.example\"]",
            "milter.toml:3: servers: \"ns.example\": expected the address of a DNS server",
        ),
        ("authserv_id = \"a\"\n[dns]\ntimeout = 0", "milter.toml:3: timeout: 0: expected a number of seconds above 0"),
        ("authserv_id = \"a\"\n[dns]\ntimeout = nan", "milter.toml:3: timeout: NaN: expected"),
        ("authserv_id = \"a\"\n[limits]\nbody = \"64 MB\"", "milter.toml:3: body: expected a number of octets"),
        ("authserv_id = \"a\"\n[limits]\nbody = -1", "milter.toml:3: body: expected a number of octets"),
        ("authserv_id = \"a\"\n[limits]\nconnections = -1", "milter.toml:3: connections: invalid value"),
        (
            "authserv_id = \"a\"\n[actions]\ndmarc_reject = \"refuse\"",
            "milter.toml:3: dmarc_reject: unknown variant `refuse`, expected one of",
        ),
        (
            "authserv_id = \"a\"\nown_networks = [\"10.0.0.0/33\"]",
            "milter.toml:2: own_networks: \"10.0.0.0/33\": expected a network",
        ),
        (
            "authserv_id = \"a\"\nsocket_mode = \"0999\"",
            "milter.toml:2: socket_mode: \"0999\": expected permissions in octal",
        ),
        (
            "authserv_id = \"a\"\n[metrics]\nlisten = \"9464\"",
            "milter.toml:3: listen: \"9464\": expected an address and a port",
        ),
        (
            "authserv_id = \"a\"\n[arc]\ntrusted_sealers = [\"a..b\"]",
            "milter.toml:3: trusted_sealers: \"a..b\": the name has an empty label",
        ),
        ("authserv_id = \"a\"\n[log]\nlevel = \"loud\"", "milter.toml:3: level: unknown variant `loud`"),
        ("authserv_id = [", "milter.toml:1: "),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(told), "{error}\n{told}");
        assert!(error.lines().count() == 1, "{error}");
    }
    let error = Config::read(Path::new("/nowhere/milter.toml")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the configuration /nowhere/milter.toml: "), "{error}");
}

#[test]
fn a_name_alone_is_a_configuration() {
    assert_eq!(Config::of("mx.example.net").unwrap().authserv_id, "mx.example.net");
    assert!(Config::of("a\"\nb").unwrap_err().to_string().contains("expected a name"));
}
