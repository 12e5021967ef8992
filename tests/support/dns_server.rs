//! A real DNS server on the loopback interface, made of hickory-server: UDP and TCP on a port of its own, answering for the whole
//! DNS from one master file (read by hickory's own parser, so that two readers have to agree on it).

use hickory_server::{
    Server,
    net::runtime::TokioRuntimeProvider,
    proto::{
        rr::{LowerName, Name, RData, Record, RecordSet, RecordType, RrKey, rdata::SOA},
        serialize::txt::Parser,
    },
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, Catalog, ZoneType},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, UdpSocket};

/// Answers until it is dropped.
pub struct DnsServer {
    pub address: SocketAddr,
    _server: Server<Catalog>,
}

/// A UDP and a TCP socket at the same free port of the loopback interface.
pub async fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

impl DnsServer {
    /// Serves the records of a master file, which may belong to any number of domains. There are no zone cuts: leave NS records out.
    pub async fn start(master_file: &str) -> Self {
        let origin = Name::root();
        let (_, mut records) = Parser::new(on_one_line(master_file), None, Some(origin.clone())).parse().unwrap();
        // RFC 2308: what is not there is not there for five minutes.
        let soa = SOA::new(origin.clone(), origin.clone(), 1, 3600, 3600, 3600, 300);
        let soa = Record::from_rdata(origin.clone(), 300, RData::SOA(soa));
        records.insert(RrKey::new(LowerName::new(&origin), RecordType::SOA), RecordSet::from(soa));
        let zone: InMemoryZoneHandler<TokioRuntimeProvider> =
            InMemoryZoneHandler::new(origin.clone(), records, ZoneType::Primary, AxfrPolicy::Deny).unwrap();
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&origin), vec![Arc::new(zone)]);
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().unwrap();
        let mut server = Server::new(catalog);
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(5), 128);
        Self { address, _server: server }
    }
}

/// Entries each on one line, without comments: hickory's parser (0.26) does not see quotes within parentheses.
fn on_one_line(master_file: &str) -> String {
    let (mut out, mut depth, mut quoted, mut comment, mut escaped) = (String::new(), 0_usize, false, false, false);
    for c in master_file.chars() {
        comment &= c != '\n';
        match c {
            _ if comment => {}
            _ if escaped => {
                escaped = false;
                out.push(c);
            }
            '\\' => {
                escaped = true;
                out.push(c);
            }
            '"' => {
                quoted = !quoted;
                out.push(c);
            }
            _ if quoted => out.push(c),
            ';' => comment = true,
            '(' => depth += 1,
            ')' => depth -= 1,
            '\n' if depth > 0 => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}
