//! What LOG and TRACE write down in the walk, and the kernel's line that is made of it elsewhere.
//!
//! The walk copies: a [`LogRecord`] has a fixed size and no pointer. The thread at the other end of the ring calls [`LogRecord::line`], which
//! says what the kernel's `nf_log_syslog.c` says of such a packet.

use core::fmt::{self, Write};
use core::net::Ipv4Addr;

use arrayvec::ArrayVec;
use program::eval::Met;
use program::{InterfaceId, LogSpec, TableKind};

mod ipv6;

/// Bytes of a packet that a record keeps: an IP header and an ICMP error with the headers of the packet that it quotes, all of them with
/// as many options as they can hold.
pub const LOG_BYTES: usize = 256;

/// Most bytes of a chain's name.
const CHAIN_NAME: usize = 28;
/// The level of TRACE's lines (`trace_loginfo` of `ip_tables.c`).
const TOLD_LEVEL: u8 = 4;

/// What a packet met of which TRACE tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// In this table.
    pub table: TableKind,
    /// The name of the chain.
    pub chain: ArrayVec<u8, CHAIN_NAME>,
    /// What.
    pub met: Met,
    /// The number of the rule, counted from 1; of what stands at the end of a chain, one more than that of its last rule.
    pub number: u32,
}

impl Told {
    pub(crate) fn new(table: TableKind, name: &str, met: Met, number: u32) -> Self {
        Self { table, chain: name.bytes().take(CHAIN_NAME).collect(), met, number }
    }
}

/// One packet that met a LOG rule, or one rule or policy of which TRACE tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// `--log-prefix`, at most 29 bytes of UTF-8.
    pub prefix: ArrayVec<u8, 30>,
    /// What stands in the place of a prefix, of a packet that is told of.
    pub told: Option<Told>,
    /// `--log-level`, 0..=7.
    pub level: u8,
    /// `--log-tcp-sequence`
    pub tcp_sequence: bool,
    /// `--log-tcp-options`
    pub tcp_options: bool,
    /// `--log-ip-options`
    pub ip_options: bool,
    /// `--log-macdecode`
    pub mac_decode: bool,
    /// Where the packet came in.
    pub input: InterfaceId,
    /// Where it goes out, as far as it is known at the rule's hook.
    pub output: InterfaceId,
    /// The Ethernet header of a packet that came in; empty for the box's own.
    pub mac: ArrayVec<u8, 18>,
    /// The packet's mark.
    pub mark: u32,
    /// Length of the whole IP packet in bytes.
    pub len: u32,
    /// Its first bytes, from the IP header on.
    pub bytes: ArrayVec<u8, LOG_BYTES>,
}

impl LogRecord {
    /// A record of what the rule wants shown; the packet's part is filled in by the walk.
    pub(crate) fn new(spec: &LogSpec) -> Self {
        let mut prefix = ArrayVec::new();
        prefix.extend(spec.prefix.bytes().take(prefix.capacity()));
        Self {
            prefix,
            told: None,
            level: spec.level,
            tcp_sequence: spec.tcp_sequence,
            tcp_options: spec.tcp_options,
            ip_options: spec.ip_options,
            mac_decode: spec.mac_decode,
            input: InterfaceId::NONE,
            output: InterfaceId::NONE,
            mac: ArrayVec::new(),
            mark: 0,
            len: 0,
            bytes: ArrayVec::new(),
        }
    }

    /// A record of what a packet met that is told of, which shows all of it but the link's header in words.
    pub(crate) fn of(told: Told) -> Self {
        let all = LogSpec {
            prefix: String::new(),
            level: TOLD_LEVEL,
            tcp_sequence: true,
            tcp_options: true,
            ip_options: true,
            uid: false,
            mac_decode: false,
        };
        Self { told: Some(told), ..Self::new(&all) }
    }
}

impl LogRecord {
    /// The kernel's line, without its end. `name` tells an interface's name; it is not asked for no interface.
    ///
    /// Fields end with a space each, the last one too, as fail2ban and logwatch know it.
    pub fn line<'n>(&self, name: impl Fn(InterfaceId) -> &'n str) -> String {
        let mut line = String::with_capacity(256);
        let named = |id| if id == InterfaceId::NONE { "" } else { name(id) };
        if let Some(Told { table, chain, met, number }) = &self.told {
            let chain = String::from_utf8_lossy(chain);
            let _ = write!(line, "TRACE: {}:{chain}:{}:{number} ", table.name(), met.name());
        }
        let _ = write!(line, "{}IN={} OUT={} ", String::from_utf8_lossy(&self.prefix), named(self.input), named(self.output));
        // Writing to a string cannot fail: an error ends a packet's part early where the kernel ends it.
        let _ = self.mac_part(&mut line);
        let whole = Bytes { packet: &self.bytes, len: self.len };
        let part = match self.bytes.first() {
            Some(first) if first >> 4 == 6 => self.ipv6_part(&mut line, whole, false),
            _ => self.ip_part(&mut line, whole, false),
        };
        if part.is_ok() && self.mark != 0 {
            let _ = write!(line, "MARK=0x{:x} ", self.mark);
        }
        line
    }

    fn mac_part(&self, line: &mut String) -> fmt::Result {
        if self.input == InterfaceId::NONE {
            return Ok(());
        }
        if let (true, [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, p0, p1]) = (self.mac_decode, &self.mac[..]) {
            write!(line, "MACSRC={s0:02x}:{s1:02x}:{s2:02x}:{s3:02x}:{s4:02x}:{s5:02x} ")?;
            write!(line, "MACDST={d0:02x}:{d1:02x}:{d2:02x}:{d3:02x}:{d4:02x}:{d5:02x} ")?;
            return write!(line, "MACPROTO={p0:02x}{p1:02x} ");
        }
        line.push_str("MAC=");
        for (i, byte) in self.mac.iter().enumerate() {
            write!(line, "{}{byte:02x}", if i == 0 { "" } else { ":" })?;
        }
        line.push(' ');
        Ok(())
    }

    /// The IP header and what is behind it. `quoted` is set inside of an ICMP error: nothing is quoted twice. An error says that the kernel
    /// stops the line here.
    fn ip_part(&self, line: &mut String, packet: Bytes<'_>, quoted: bool) -> fmt::Result {
        let Some(ip) = packet.get::<20>(0) else {
            line.push_str("TRUNCATED");
            return Err(fmt::Error);
        };
        let (src, dst) = (address(&ip[12..]), address(&ip[16..]));
        let (tos, prec) = (ip[1] & 0x1e, ip[1] & 0xe0);
        let (len, id, flags) = (word(&ip, 2), word(&ip, 4), word(&ip, 6));
        write!(line, "SRC={src} DST={dst} LEN={len} TOS=0x{tos:02X} PREC=0x{prec:02X} TTL={} ID={id} ", ip[8])?;
        for (bit, text) in [(0x8000, "CE "), (0x4000, "DF "), (0x2000, "MF ")] {
            if flags & bit != 0 {
                line.push_str(text);
            }
        }
        let offset = flags & 0x1fff;
        if offset != 0 {
            write!(line, "FRAG:{offset} ")?;
        }
        let header_len = usize::from(ip[0] & 0x0f) * 4;
        if self.ip_options && header_len > 20 {
            let Some(options) = packet.range(20, header_len - 20) else {
                line.push_str("TRUNCATED");
                return Err(fmt::Error);
            };
            options_part(line, options)?;
        }
        let payload = packet.behind(header_len);
        match ip[9] {
            6 => self.tcp_part(line, payload, offset != 0),
            17 => udp_part(line, "UDP", payload, offset != 0),
            136 => udp_part(line, "UDPLITE", payload, offset != 0),
            1 => self.icmp_part(line, payload, offset != 0, quoted),
            // The kernel names no later piece of AH.
            51 if offset != 0 => Ok(()),
            51 => spi_part(line, "AH", payload, false, 12, 4),
            50 => spi_part(line, "ESP", payload, offset != 0, 8, 0),
            protocol => write!(line, "PROTO={protocol} "),
        }
    }

    fn tcp_part(&self, line: &mut String, payload: Bytes<'_>, fragment: bool) -> fmt::Result {
        line.push_str("PROTO=TCP ");
        if fragment {
            return Ok(());
        }
        let Some(tcp) = payload.get::<20>(0) else { return payload.incomplete(line).and(Err(fmt::Error)) };
        write!(line, "SPT={} DPT={} ", word(&tcp, 0), word(&tcp, 2))?;
        if self.tcp_sequence {
            write!(line, "SEQ={} ACK={} ", double(&tcp, 4), double(&tcp, 8))?;
        }
        write!(line, "WINDOW={} RES=0x{:02x} ", word(&tcp, 14), (tcp[12] & 0x0e) << 2)?;
        // Accurate ECN's bit is the last of those that once were reserved.
        if tcp[12] & 1 != 0 {
            line.push_str("AE ");
        }
        for (bit, text) in
            [(0x80, "CWR "), (0x40, "ECE "), (0x20, "URG "), (0x10, "ACK "), (8, "PSH "), (4, "RST "), (2, "SYN "), (1, "FIN ")]
        {
            if tcp[13] & bit != 0 {
                line.push_str(text);
            }
        }
        write!(line, "URGP={} ", word(&tcp, 18))?;
        let header_len = usize::from(tcp[12] >> 4) * 4;
        if self.tcp_options && header_len > 20 {
            let Some(options) = payload.range(20, header_len - 20) else {
                line.push_str("OPT (TRUNCATED)");
                return Err(fmt::Error);
            };
            options_part(line, options)?;
        }
        Ok(())
    }

    fn icmp_part(&self, line: &mut String, payload: Bytes<'_>, fragment: bool, quoted: bool) -> fmt::Result {
        line.push_str("PROTO=ICMP ");
        if fragment {
            return Ok(());
        }
        let Some(icmp) = payload.get::<8>(0) else { return payload.incomplete(line) };
        write!(line, "TYPE={} CODE={} ", icmp[0], icmp[1])?;
        let least = match icmp[0] {
            3 | 4 | 5 | 11 | 12 => 28,
            13 | 14 => 20,
            17 | 18 => 12,
            _ => 0,
        };
        if payload.len < least {
            return payload.incomplete(line);
        }
        match icmp[0] {
            0 | 8 => write!(line, "ID={} SEQ={} ", word(&icmp, 4), word(&icmp, 6))?,
            12 => write!(line, "PARAMETER={} ", icmp[4])?,
            5 => write!(line, "GATEWAY={} ", address(&icmp[4..]))?,
            _ => {}
        }
        if matches!(icmp[0], 3 | 4 | 5 | 11) {
            if !quoted {
                line.push('[');
                // A quote that ends early ends only itself.
                let _ = self.ip_part(line, payload.behind(8), true);
                line.push_str("] ");
            }
            if (icmp[0], icmp[1]) == (3, 4) {
                write!(line, "MTU={} ", word(&icmp, 6))?;
            }
        }
        Ok(())
    }
}

/// A packet's bytes as far as the record has them, and how many there were.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    packet: &'a [u8],
    /// As the kernel counts them: below nothing where a header says that it is longer than its packet.
    len: u32,
}

impl<'a> Bytes<'a> {
    fn get<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.range(at, N)?.first_chunk().copied()
    }

    fn range(self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.packet.get(at..at + len).filter(|_| at + len <= self.len as usize)
    }

    fn behind(self, header_len: usize) -> Self {
        Self { packet: self.packet.get(header_len..).unwrap_or_default(), len: self.len.wrapping_sub(header_len as u32) }
    }

    fn incomplete(self, line: &mut String) -> fmt::Result {
        write!(line, "INCOMPLETE [{} bytes] ", self.len)
    }
}

fn udp_part(line: &mut String, name: &str, payload: Bytes<'_>, fragment: bool) -> fmt::Result {
    write!(line, "PROTO={name} ")?;
    if fragment {
        return Ok(());
    }
    match payload.get::<8>(0) {
        Some(udp) => write!(line, "SPT={} DPT={} LEN={} ", word(&udp, 0), word(&udp, 2), word(&udp, 4)),
        None => payload.incomplete(line).and(Err(fmt::Error)),
    }
}

/// The security association of AH (its SPI at 4) or ESP (at 0).
fn spi_part(line: &mut String, name: &str, payload: Bytes<'_>, fragment: bool, least: usize, at: usize) -> fmt::Result {
    write!(line, "PROTO={name} ")?;
    if fragment {
        return Ok(());
    }
    match payload.range(0, least) {
        Some(header) => write!(line, "SPI=0x{:x} ", double(header, at)),
        None => payload.incomplete(line),
    }
}

fn options_part(line: &mut String, options: &[u8]) -> fmt::Result {
    line.push_str("OPT (");
    for byte in options {
        write!(line, "{byte:02X}")?;
    }
    line.push_str(") ");
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn double(bytes: &[u8], at: usize) -> u32 {
    u32::from(word(bytes, at)) << 16 | u32::from(word(bytes, at + 2))
}

fn address(bytes: &[u8]) -> Ipv4Addr {
    Ipv4Addr::from_bits(double(bytes, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: &[u8] = &[
        0x45, 0x10, 0, 60, 0x1c, 0x46, 0x40, 0, 63, 6, 0, 0, 10, 0, 0, 1, 192, 168, 1, 1, // IP
        0x9c, 0x40, 0, 22, 0, 0, 0, 9, 0, 0, 0, 0, 0xa0, 2, 0xfa, 0xf0, 0, 0, 0, 0, // TCP
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7, // its options
    ];

    fn record(packet: &[u8]) -> LogRecord {
        let spec = LogSpec {
            prefix: "SSH Attempt: ".into(),
            level: 4,
            tcp_sequence: false,
            tcp_options: false,
            ip_options: false,
            uid: false,
            mac_decode: false,
        };
        let mut record = LogRecord::new(&spec);
        record.input = InterfaceId(1);
        record.mac.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
        record.len = packet.len() as u32;
        record.bytes.extend(packet.iter().copied());
        record
    }

    fn line(record: &LogRecord) -> String {
        record.line(|id| if id == InterfaceId(1) { "eth0" } else { "eth1" })
    }

    #[test]
    fn a_tcp_packet_that_came_in() {
        assert_eq!(
            line(&record(SYN)),
            "SSH Attempt: IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=10.0.0.1 DST=192.168.1.1 LEN=60 TOS=0x10 \
             PREC=0x00 TTL=63 ID=7238 DF PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0 "
        );
    }

    #[test]
    fn everything_asked_for_is_shown() {
        let mut record = record(SYN);
        (record.tcp_sequence, record.tcp_options, record.ip_options, record.mac_decode) = (true, true, true, true);
        (record.mark, record.output) = (0x2a, InterfaceId(2));
        record.prefix.clear();
        assert_eq!(
            line(&record),
            "IN=eth0 OUT=eth1 MACSRC=02:00:00:00:00:02 MACDST=02:00:00:00:00:01 MACPROTO=0800 SRC=10.0.0.1 DST=192.168.1.1 LEN=60 \
             TOS=0x10 PREC=0x00 TTL=63 ID=7238 DF PROTO=TCP SPT=40000 DPT=22 SEQ=9 ACK=0 WINDOW=64240 RES=0x00 SYN URGP=0 \
             OPT (020405B40402080A000000010000000001030307) MARK=0x2a "
        );
    }

    #[test]
    fn a_packet_of_the_box_has_no_mac() {
        let mut record = record(SYN);
        (record.input, record.output) = (InterfaceId::NONE, InterfaceId(2));
        record.mac.clear();
        assert!(line(&record).starts_with("SSH Attempt: IN= OUT=eth1 SRC=10.0.0.1 "));
    }

    #[test]
    fn an_icmp_error_shows_what_it_quotes_once() {
        let mut error = vec![0x45, 0xc0, 0, 88, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1, 3, 4, 0, 0, 0, 0, 5, 0x78];
        error.extend(SYN);
        let line = line(&record(&error));
        assert!(line.ends_with(
            "PROTO=ICMP TYPE=3 CODE=4 [SRC=10.0.0.1 DST=192.168.1.1 LEN=60 TOS=0x10 PREC=0x00 TTL=63 ID=7238 DF PROTO=TCP SPT=40000 \
             DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0 ] MTU=1400 "
        ));
    }

    #[test]
    fn reserved_bits_are_shown_and_the_last_one_by_its_name() {
        let mut odd = SYN.to_vec();
        odd[32] = 0xa7;
        assert!(line(&record(&odd)).ends_with("WINDOW=64240 RES=0x18 AE SYN URGP=0 "));
    }

    #[test]
    fn a_later_fragment_of_esp_is_named_and_one_of_ah_is_not() {
        let mut later = SYN.to_vec();
        (later[6], later[7], later[9]) = (0, 5, 50);
        assert!(line(&record(&later)).ends_with("FRAG:5 PROTO=ESP "));
        later[9] = 51;
        assert!(line(&record(&later)).ends_with("FRAG:5 "));
    }

    #[test]
    fn a_quote_that_ends_within_its_options_is_counted_as_the_kernel_counts_it() {
        let mut error = vec![0x45, 0xc0, 0, 48, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0];
        error.extend(&SYN[..20]);
        error[28] = 0x46;
        assert!(line(&record(&error)).ends_with("ID=7238 DF PROTO=TCP INCOMPLETE [4294967292 bytes] ] "));
    }

    #[test]
    fn cut_headers_and_fragments_are_said() {
        let mut cut = record(&SYN[..30]);
        cut.mark = 1;
        assert!(line(&cut).ends_with("PROTO=TCP INCOMPLETE [10 bytes] "));
        let mut later = SYN.to_vec();
        (later[6], later[7]) = (0x20, 0x05);
        let mut later = record(&later);
        later.mark = 1;
        assert!(line(&later).ends_with("ID=7238 MF FRAG:5 PROTO=TCP MARK=0x1 "));
        assert!(line(&record(&SYN[..10])).ends_with(" TRUNCATED"));
    }
}
