//! The line of an IPv6 packet. Extension headers are walked as the kernel walks them here: by what each says of itself, with less care than
//! where packets are parsed.

use core::fmt::{self, Write};

use packet::protocol::{AH, DESTINATION_OPTIONS, ESP, FRAGMENT, HOP_BY_HOP, ICMPV6, ROUTING, TCP, UDP, UDPLITE};

use super::{Bytes, LogRecord, double, udp_part, word};

impl LogRecord {
    /// As [`LogRecord::ip_part`], for IPv6.
    pub(super) fn ipv6_part(&self, line: &mut String, packet: Bytes<'_>, quoted: bool) -> fmt::Result {
        let Some(ip) = packet.get::<40>(0) else {
            line.push_str("TRUNCATED");
            return Err(fmt::Error);
        };
        address(line, "SRC", &ip[8..])?;
        address(line, "DST", &ip[24..])?;
        let first = double(&ip, 0);
        let (class, label) = (first >> 20 & 0xff, first & 0xf_ffff);
        write!(line, "LEN={} TC={class} HOPLIMIT={} FLOWLBL={label} ", u32::from(word(&ip, 4)) + 40, ip[7])?;
        let (mut next, mut at, mut fragment) = (ip[6], 40, false);
        while matches!(next, HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | FRAGMENT | AH | ESP) {
            let rest = packet.behind(at);
            let Some([follows, length]) = rest.get::<2>(0) else {
                line.push_str("TRUNCATED");
                return Err(fmt::Error);
            };
            if self.ip_options {
                line.push_str("OPT ( ");
            }
            let header_len = match next {
                FRAGMENT => {
                    line.push_str("FRAG:");
                    let Some(header) = rest.get::<8>(0) else {
                        line.push_str("TRUNCATED ");
                        return Err(fmt::Error);
                    };
                    let place = word(&header, 2);
                    write!(line, "{} ", place & 0xfff8)?;
                    if place & 1 != 0 {
                        line.push_str("INCOMPLETE ");
                    }
                    write!(line, "ID:{:08x} ", double(&header, 4))?;
                    fragment |= place & 0xfff8 != 0;
                    8
                }
                AH => {
                    self.association(line, "AH", rest, fragment, (12, 4))?;
                    (usize::from(length) + 2) * 4
                }
                ESP => {
                    self.association(line, "ESP", rest, fragment, (8, 0))?;
                    if self.ip_options {
                        line.push(')');
                    }
                    // What is behind it is nobody's to read.
                    return Err(fmt::Error);
                }
                // A later piece has no such header of its own; the kernel stops there.
                _ if fragment => {
                    if self.ip_options {
                        line.push(')');
                    }
                    return Err(fmt::Error);
                }
                _ => (usize::from(length) + 1) * 8,
            };
            if self.ip_options {
                line.push_str(") ");
            }
            next = follows;
            at += header_len;
        }
        let payload = packet.behind(at);
        match next {
            TCP => self.tcp_part(line, payload, fragment),
            UDP => udp_part(line, "UDP", payload, fragment),
            UDPLITE => udp_part(line, "UDPLITE", payload, fragment),
            ICMPV6 => self.icmpv6_part(line, payload, fragment, quoted),
            protocol => write!(line, "PROTO={protocol} "),
        }
    }

    /// The SPI of AH or ESP, among the options.
    fn association(
        &self,
        line: &mut String,
        name: &str,
        header: Bytes<'_>,
        fragment: bool,
        (least, spi): (usize, usize),
    ) -> fmt::Result {
        if !self.ip_options {
            return Ok(());
        }
        write!(line, "{name} ")?;
        if fragment {
            line.push(')');
            return Err(fmt::Error);
        }
        match header.range(0, least) {
            Some(bytes) => write!(line, "SPI=0x{:x} ", double(bytes, spi)),
            None => {
                write!(line, "INCOMPLETE [{} bytes] )", header.len)?;
                Err(fmt::Error)
            }
        }
    }

    fn icmpv6_part(&self, line: &mut String, payload: Bytes<'_>, fragment: bool, quoted: bool) -> fmt::Result {
        line.push_str("PROTO=ICMPv6 ");
        if fragment {
            return Ok(());
        }
        let Some(icmp) = payload.get::<8>(0) else { return payload.incomplete(line).and(Err(fmt::Error)) };
        write!(line, "TYPE={} CODE={} ", icmp[0], icmp[1])?;
        match icmp[0] {
            128 | 129 => write!(line, "ID={} SEQ={} ", word(&icmp, 4), word(&icmp, 6))?,
            4 => write!(line, "POINTER={:08x} ", double(&icmp, 4))?,
            _ => {}
        }
        if matches!(icmp[0], 1..=4) {
            if !quoted {
                line.push('[');
                // A quote that ends early ends only itself.
                let _ = self.ipv6_part(line, payload.behind(8), true);
                line.push_str("] ");
            }
            if icmp[0] == 2 {
                write!(line, "MTU={} ", double(&icmp, 4))?;
            }
        }
        Ok(())
    }
}

/// All of its digits, as the kernel's `%pI6` has them.
fn address(line: &mut String, name: &str, bytes: &[u8]) -> fmt::Result {
    write!(line, "{name}=")?;
    for group in 0..8 {
        write!(line, "{}{:04x}", if group == 0 { "" } else { ":" }, word(bytes, 2 * group))?;
    }
    line.push(' ');
    Ok(())
}

#[cfg(test)]
mod tests {
    use program::{InterfaceId, LogSpec};

    use super::LogRecord;

    const SRC: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0xa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    const DST: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0xa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const FRONT: &str = "SRC=2001:0db8:000a:0000:0000:0000:0000:0002 DST=2001:0db8:000a:0000:0000:0000:0000:0001 ";
    const BACK: &str = "SRC=2001:0db8:000a:0000:0000:0000:0000:0001 DST=2001:0db8:000a:0000:0000:0000:0000:0002 ";

    fn packet(next: u8, payload: &[u8], src: [u8; 16], dst: [u8; 16]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 64];
        bytes.extend(src.iter().chain(&dst).chain(payload));
        bytes
    }

    /// The line from the length on; all of it but the addresses.
    fn line(bytes: &[u8], ip_options: bool) -> String {
        let spec = LogSpec {
            prefix: String::new(),
            level: 4,
            tcp_sequence: false,
            tcp_options: false,
            ip_options,
            uid: false,
            mac_decode: false,
        };
        let mut record = LogRecord::new(&spec);
        (record.output, record.mark, record.len) = (InterfaceId(1), 7, bytes.len() as u32);
        record.bytes.extend(bytes.iter().copied());
        let line = record.line(|_| "eth1");
        line.strip_prefix("IN= OUT=eth1 ").expect("no MAC").replace(FRONT, "").replace(BACK, "back ")
    }

    fn sent(next: u8, payload: &[u8]) -> String {
        line(&packet(next, payload, SRC, DST), true)
    }

    const UDP: [u8; 8] = [0, 1, 0, 2, 0, 8, 0, 1];

    fn behind(header: &[u8]) -> Vec<u8> {
        [header, &UDP].concat()
    }

    #[test]
    fn addresses_class_and_label_are_shown_in_full() {
        let mut bytes = packet(17, &UDP, SRC, DST);
        bytes[..4].copy_from_slice(&[0x6b, 0x81, 0x23, 0x45]);
        assert_eq!(line(&bytes, false), "LEN=48 TC=184 HOPLIMIT=64 FLOWLBL=74565 PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 ");
    }

    /// Each as Linux 6.18 wrote it.
    #[test]
    fn extension_headers_are_shown_where_they_were_asked_for() {
        let options = [17, 0, 1, 4, 0, 0, 0, 0];
        let ah = [17, 4, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let esp = [0, 0, 0xab, 0xcd, 0, 0, 0, 1, 1, 1];
        let first = [17, 0, 0, 1, 0, 0, 0, 77];
        let later = |next| [next, 0, 0, 16, 0, 0, 0, 78, 1, 1, 1, 1, 1, 1, 1, 1];
        for (next, payload, shown) in [
            (0, behind(&options), "OPT ( ) PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 "),
            (43, behind(&options), "OPT ( ) PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 "),
            (44, behind(&first), "OPT ( FRAG:0 INCOMPLETE ID:0000004d ) PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 "),
            (44, later(17).to_vec(), "OPT ( FRAG:16 ID:0000004e ) PROTO=UDP MARK=0x7 "),
            (44, later(58).to_vec(), "OPT ( FRAG:16 ID:0000004e ) PROTO=ICMPv6 MARK=0x7 "),
            (44, later(60).to_vec(), "OPT ( FRAG:16 ID:0000004e ) OPT ( )"),
            (44, later(51).to_vec(), "OPT ( FRAG:16 ID:0000004e ) OPT ( AH )"),
            (44, later(50).to_vec(), "OPT ( FRAG:16 ID:0000004e ) OPT ( ESP )"),
            (44, vec![17, 0, 0], "OPT ( FRAG:TRUNCATED "),
            (51, behind(&ah), "OPT ( AH SPI=0x1234 ) PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 "),
            (51, vec![17, 4, 0, 0, 1, 2, 3, 4], "OPT ( AH INCOMPLETE [8 bytes] )"),
            (50, esp.to_vec(), "OPT ( ESP SPI=0xabcd )"),
            (59, vec![], "PROTO=59 MARK=0x7 "),
            (132, vec![0; 12], "PROTO=132 MARK=0x7 "),
            (58, vec![128, 0, 0], "PROTO=ICMPv6 INCOMPLETE [3 bytes] "),
            (17, vec![0; 4], "PROTO=UDP INCOMPLETE [4 bytes] "),
        ] {
            let front = format!("LEN={} TC=0 HOPLIMIT=64 FLOWLBL=0 ", 40 + payload.len());
            assert_eq!(sent(next, &payload), front + shown);
        }
        let bare = |next, payload: &[u8]| line(&packet(next, payload, SRC, DST), false);
        assert!(
            bare(44, &behind(&first)).ends_with("FLOWLBL=0 FRAG:0 INCOMPLETE ID:0000004d PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 ")
        );
        assert!(bare(51, &behind(&ah)).ends_with("FLOWLBL=0 PROTO=UDP SPT=1 DPT=2 LEN=8 MARK=0x7 "));
        assert!(bare(50, &esp).ends_with("FLOWLBL=0 "));
    }

    #[test]
    fn icmpv6_shows_what_it_is_about() {
        let icmp = |kind: u8, code: u8, rest: [u8; 4], quote: &[u8]| [&[kind, code, 0, 0], &rest[..], quote].concat();
        let inner = packet(17, &UDP, DST, SRC);
        let quoted = "[back LEN=48 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=UDP SPT=1 DPT=2 LEN=8 ] ";
        let twice = packet(58, &icmp(1, 4, [0; 4], &inner), DST, SRC);
        for (payload, shown) in [
            (icmp(128, 0, [0, 20, 0, 1], &[]), "TYPE=128 CODE=0 ID=20 SEQ=1 ".to_owned()),
            (icmp(135, 0, [0; 4], &DST), "TYPE=135 CODE=0 ".to_owned()),
            (icmp(1, 4, [0; 4], &inner), format!("TYPE=1 CODE=4 {quoted}")),
            (icmp(2, 0, [0, 0, 5, 20], &inner), format!("TYPE=2 CODE=0 {quoted}MTU=1300 ")),
            (icmp(4, 1, [0, 0, 0, 40], &inner), format!("TYPE=4 CODE=1 POINTER=00000028 {quoted}")),
            (icmp(1, 4, [0; 4], &inner[..20]), "TYPE=1 CODE=4 [TRUNCATED] ".to_owned()),
            (
                icmp(1, 4, [0; 4], &twice),
                "TYPE=1 CODE=4 [back LEN=96 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=ICMPv6 TYPE=1 CODE=4 ] ".to_owned(),
            ),
        ] {
            assert!(sent(58, &payload).ends_with(&format!("FLOWLBL=0 PROTO=ICMPv6 {shown}MARK=0x7 ")), "{}", sent(58, &payload));
        }
    }
}
