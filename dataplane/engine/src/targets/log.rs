//! `LOG` and `TRACE`: copies what the kernel's line shows of the packet. The line itself is made elsewhere ([`crate::log`]).

use packet::Family;
use program::{InterfaceId, LogSpec};

use crate::buffer::Buffer;
use crate::burst::{Origin, Packet};
use crate::log::{LogRecord, Told};

/// The record of a packet that meets a LOG rule, at a hook where it has these interfaces.
pub(crate) fn record<F: Family, B: Buffer>(
    spec: &LogSpec,
    packet: &Packet<'_, F, B>,
    interfaces: (InterfaceId, InterfaceId),
) -> LogRecord {
    filled(LogRecord::new(spec), packet, interfaces)
}

/// The record of a packet that is told of, and of what it meets.
pub(crate) fn told<F: Family, B: Buffer>(
    told: Told,
    packet: &Packet<'_, F, B>,
    interfaces: (InterfaceId, InterfaceId),
) -> LogRecord {
    filled(LogRecord::of(told), packet, interfaces)
}

fn filled<F: Family, B: Buffer>(
    mut record: LogRecord,
    packet: &Packet<'_, F, B>,
    (input, output): (InterfaceId, InterfaceId),
) -> LogRecord {
    (record.input, record.output) = (input, output);
    record.mark = packet.mark;
    record.len = packet.header.len;
    let l3 = usize::from(packet.header.l3);
    if input != InterfaceId::NONE && matches!(packet.origin, Origin::Wire(_)) {
        record.mac.extend(packet.buf.head().iter().take(l3).take(record.mac.capacity()).copied());
    }
    let mut skip = l3;
    let mut room = record.bytes.capacity().min(packet.header.len as usize);
    for segment in packet.buf.segments() {
        let bytes = segment.get(skip..).unwrap_or_default();
        skip = skip.saturating_sub(segment.len());
        let bytes = &bytes[..bytes.len().min(room)];
        record.bytes.extend(bytes.iter().copied());
        room -= bytes.len();
        if room == 0 {
            break;
        }
    }
    record
}
