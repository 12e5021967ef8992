//! NSD, an authoritative DNS server by other people, started on the loopback interface where it is installed.

use super::dns_server::sockets;
use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Answers until it is dropped.
pub struct Nsd {
    pub address: SocketAddr,
    child: Child,
    folder: PathBuf,
}

/// `MAILVERDICT_NSD`, or `nsd` where it is in the usual places.
pub fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("MAILVERDICT_NSD") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join("nsd")).find(|file| file.is_file())
}

impl Nsd {
    /// Serves the zones of these files, each named by its apex and `.zone`.
    pub async fn start(program: &PathBuf, zones: &[(&str, &str)]) -> Self {
        // NSD binds the port itself; nobody else takes it in the meantime, most likely.
        let address = sockets().await.0.local_addr().unwrap();
        let folder = std::env::temp_dir().join(format!("mailverdict-nsd-{}", address.port()));
        fs::create_dir_all(&folder).unwrap();
        let mut config = fs::File::create(folder.join("nsd.conf")).unwrap();
        let place = folder.display();
        write!(
            config,
            "server:\n ip-address: 127.0.0.1@{port}\n port: {port}\n username: \"\"\n chroot: \"\"\n server-count: 1\n\
             zonesdir: \"{place}\"\n database: \"\"\n pidfile: \"{place}/pid\"\n xfrdfile: \"{place}/xfrd\"\n\
             zonelistfile: \"{place}/list\"\n logfile: \"{place}/log\"\n minimal-responses: no\nremote-control:\n control-enable: no\n",
            port = address.port()
        )
        .unwrap();
        for (apex, text) in zones {
            fs::write(folder.join(format!("{apex}.zone")), text).unwrap();
            write!(config, "zone:\n name: \"{apex}\"\n zonefile: \"{apex}.zone\"\n").unwrap();
        }
        drop(config);
        let child = Command::new(program)
            .arg("-d")
            .arg("-c")
            .arg(folder.join("nsd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { address, child, folder }
    }

    /// What it has to say for itself.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // NSD forks, and ends its children when it is asked to end; without `kill` there is no asking.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
