//! The host for which the cases are written, where it is not the one on which they run.
use rules::names::Kind;

/// The first accounts of a Debian.
const USERS: &str =
    "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1:::\nbin:x:2:2:::\nsys:x:3:3:::\ngames:x:5:60:::\nnobody:x:65534:65534:::\n";
const GROUPS: &str = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\n";

/// Services that the cases name.
pub(crate) const SERVICES: &str =
    "ftp-data 20/tcp\nssh 22/tcp\ndomain 53/tcp\ndomain 53/udp\ntftp 69/udp\nhttp 80/tcp www\nhttps 443/tcp\n";

/// The files of names that the cases ask for.
pub(crate) fn files(kind: Kind) -> String {
    match kind {
        Kind::User => USERS.to_owned(),
        Kind::Group => GROUPS.to_owned(),
        Kind::DeviceGroup => "0\tdefault\n".to_owned(),
        Kind::Realm => "#\n0\tcosmos\n".to_owned(),
    }
}
