//! What the DNS holds, for every contender alike; each keeps it in its own way (its own cache or resolver) before the clock runs.

use std::{collections::BTreeMap, net::Ipv4Addr};

/// Records by name. A name that is not here does not exist.
#[derive(Default)]
pub struct Zone {
    pub txt: BTreeMap<String, String>,
    pub a: BTreeMap<String, Vec<Ipv4Addr>>,
    pub mx: BTreeMap<String, Vec<String>>,
    /// Names that are asked for and do not exist: a cache holds that as well.
    pub absent: Vec<String>,
}

impl Zone {
    /// All domains of the cases; key records are added as keys are made.
    pub fn published() -> Self {
        let mut zone = Self::default();
        zone.microsoft_365();
        zone.google();
        zone.ten_lookups();
        zone.dmarc();
        zone
    }

    pub fn publish(&mut self, name: &str, text: &str) {
        self.txt.insert(name.into(), text.into());
    }

    /// The shape of a Microsoft 365 tenant: one include, eleven networks.
    fn microsoft_365(&mut self) {
        self.publish("example.com", "v=spf1 include:spf.protection.example.net -all");
        self.publish("outbound.protection.example.net", "v=spf1 include:spf.protection.example.net -all");
        self.publish(
            "spf.protection.example.net",
            "v=spf1 ip4:198.18.0.0/20 ip4:198.18.64.0/18 ip4:198.18.128.0/20 ip4:198.18.160.0/19 ip4:198.18.192.0/19 \
             ip4:192.0.2.0/24 ip6:2001:db8:f400::/48 ip6:2001:db8:f403::/49 ip6:2001:db8:f403:8000::/51 \
             ip6:2001:db8:f403:c000::/51 ip6:2001:db8:f403:f000::/52 -all",
        );
    }

    /// The shape of a Google Workspace tenant: an include of three includes; the client is in the last network.
    fn google(&mut self) {
        self.publish("contoso.com", "v=spf1 include:_spf.google.example ~all");
        self.publish(
            "_spf.google.example",
            "v=spf1 include:_netblocks.google.example include:_netblocks2.google.example \
             include:_netblocks3.google.example ~all",
        );
        self.publish(
            "_netblocks.google.example",
            "v=spf1 ip4:198.18.0.0/20 ip4:198.18.32.0/20 ip4:198.18.64.0/20 ip4:198.18.96.0/19 ip4:198.18.144.0/20 \
             ip4:198.18.192.0/19 ip4:198.18.240.0/20 ip4:198.19.0.0/20 ip4:198.19.32.0/20 ~all",
        );
        self.publish(
            "_netblocks2.google.example",
            "v=spf1 ip6:2001:db8:4000::/36 ip6:2001:db8:4864::/36 ip6:2001:db8:6800::/36 ip6:2001:db8:2800::/36 \
             ip6:2001:db8:0c00::/36 ip6:2001:db8:fe00::/36 ~all",
        );
        self.publish(
            "_netblocks3.google.example",
            "v=spf1 ip4:198.19.64.0/20 ip4:198.19.96.0/20 ip4:198.19.128.0/20 ip4:198.19.160.0/20 ip4:198.19.192.0/20 \
             ip4:203.0.113.0/24 ~all",
        );
    }

    /// Exactly the ten terms of RFC 7208 §4.6.4, seven records deep, with `a`, `mx` and `exists` on the way.
    fn ten_lookups(&mut self) {
        self.publish("fabrikam.com", "v=spf1 include:n1.fabrikam.com ~all");
        self.publish("n1.fabrikam.com", "v=spf1 a:h1.fabrikam.com include:n2.fabrikam.com -all");
        self.publish("n2.fabrikam.com", "v=spf1 mx:fabrikam.com include:n3.fabrikam.com -all");
        self.publish("n3.fabrikam.com", "v=spf1 exists:%{ir}.list.fabrikam.com include:n4.fabrikam.com -all");
        self.publish("n4.fabrikam.com", "v=spf1 ip4:198.18.0.0/24 include:n5.fabrikam.com -all");
        self.publish("n5.fabrikam.com", "v=spf1 ip4:198.18.1.0/24 include:n6.fabrikam.com -all");
        self.publish("n6.fabrikam.com", "v=spf1 ip4:198.18.2.0/24 include:n7.fabrikam.com -all");
        self.publish("n7.fabrikam.com", "v=spf1 ip4:198.18.3.0/24 ip4:192.0.2.0/24 -all");
        self.a.insert("h1.fabrikam.com".into(), vec![Ipv4Addr::new(198, 51, 100, 1)]);
        self.a.insert("mx1.fabrikam.com".into(), vec![Ipv4Addr::new(198, 51, 100, 2)]);
        self.a.insert("mx2.fabrikam.com".into(), vec![Ipv4Addr::new(198, 51, 100, 3), Ipv4Addr::new(198, 51, 100, 4)]);
        self.mx.insert("fabrikam.com".into(), vec!["mx1.fabrikam.com".into(), "mx2.fabrikam.com".into()]);
        self.absent.push("10.2.0.192.list.fabrikam.com".into());
    }

    /// A record at the author domain, and one that is found after a walk.
    fn dmarc(&mut self) {
        self.publish("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:dmarc@example.com; adkim=r; aspf=r");
        self.absent.push("_dmarc.com".into());
        self.publish("_dmarc.adatum.com", "v=DMARC1; p=none; sp=quarantine; rua=mailto:dmarc@adatum.com; fo=1");
        for name in ["mail.adatum.com", "eu.mail.adatum.com", "news.eu.mail.adatum.com", "bounce.adatum.com"] {
            self.absent.push(format!("_dmarc.{name}"));
        }
        self.publish("bounce.adatum.com", "v=spf1 ip4:192.0.2.0/24 -all");
    }
}
