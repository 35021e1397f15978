//! The EAL arguments of the software drivers that need care, for tests and labs.
//!
//! **net_af_packet** (a port on any kernel interface) exchanges frames with the kernel through slots of a fixed size, and a frame
//! that is longer than its slot is *cut*, not dropped. It receives into one buffer, never into a chain, so its pool must hold a
//! whole slot. With the driver's default of 2,048 bytes an MTU of 9,000 cannot work; [`AfPacket`] chooses both sizes from the MTU.
//! The slots are locked in memory, `2 * queue_pairs * slots` of them, for which root has no limit; an ordinary user has 8 MiB for all
//! ports by default (`ulimit -l`), and the driver then fails with "call to mmap failed". The interface's MTU itself is set by [`Port::configure`](crate::port::Port::configure), directly in the kernel.
//!
//! **net_tap** (a port that creates a kernel TAP) receives into chains and needs no large buffers, but in DPDK 22.11 it takes no
//! MTU above 1,500 and does not send longer frames. `Port::configure` refuses that; use net_af_packet for jumbo frames.
//!
//! There is no unsafe code here.

use crate::mbuf::HEADROOM;

/// What the kernel puts before a frame in its slot (the packet header, the link address, alignment), rounded up.
const SLOT_HEADER: u32 = 96;

/// Ethernet header and two VLAN tags.
const LINK_HEADER: u32 = 14 + 2 * 4;

/// A block of the ring that the driver shares with the kernel; must hold whole slots and whole pages.
const BLOCK: u32 = 65536;

/// A port on a kernel interface, by packet sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfPacket {
    /// Number of the device: it is named `net_af_packet<number>`.
    pub number: u16,
    /// The kernel's interface.
    pub interface: String,
    /// Receive and transmit queues; the kernel spreads flows over them.
    pub queue_pairs: u16,
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// Frames that a queue holds; [`SLOTS`](AfPacket::SLOTS) is the driver's default. Rounded up to whole blocks of 64 KiB.
    pub slots: u16,
}

impl AfPacket {
    /// The driver's own number of slots.
    pub const SLOTS: u16 = 512;

    /// The name of the port.
    pub fn name(&self) -> String {
        format!("net_af_packet{}", self.number)
    }

    /// The EAL argument that creates the port; None if the MTU is larger than a slot can be (32,000 bytes pass).
    pub fn eal_argument(&self) -> Option<String> {
        let slot = self.slot()?;
        let slots = u32::from(self.slots.max(1)).next_multiple_of(BLOCK / slot);
        let AfPacket { interface, queue_pairs, .. } = self;
        let name = self.name();
        Some(format!("--vdev={name},iface={interface},qpairs={queue_pairs},framesz={slot},framecnt={slots},blocksz={BLOCK}"))
    }

    /// The data room that the buffers of the port's pool need, headroom included.
    pub fn data_room(&self) -> Option<u16> {
        u16::try_from(self.slot()?).ok()?.checked_add(HEADROOM)
    }

    /// The slots lie behind one another in a block, so their size must divide it.
    fn slot(&self) -> Option<u32> {
        let slot = (u32::from(self.mtu) + LINK_HEADER + SLOT_HEADER).max(2048).next_power_of_two();
        (slot < BLOCK).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(mtu: u16) -> AfPacket {
        AfPacket { number: 3, interface: "veth0".into(), queue_pairs: 2, mtu, slots: AfPacket::SLOTS }
    }

    #[test]
    fn an_ordinary_mtu_fits_the_ordinary_buffer() {
        assert_eq!(
            port(1500).eal_argument().unwrap(),
            "--vdev=net_af_packet3,iface=veth0,qpairs=2,framesz=2048,framecnt=512,blocksz=65536"
        );
        assert_eq!(port(1500).data_room(), Some(crate::mempool::DATA_ROOM));
    }

    #[test]
    fn a_jumbo_frame_gets_a_slot_and_a_buffer_that_hold_it() {
        assert!(port(9000).eal_argument().unwrap().contains("framesz=16384"));
        assert_eq!(port(9000).data_room(), Some(16384 + HEADROOM));
    }

    #[test]
    fn slots_fill_whole_blocks() {
        let few = AfPacket { slots: 33, ..port(1500) };
        assert!(few.eal_argument().unwrap().contains("framecnt=64"));
        let none = AfPacket { slots: 0, ..port(9000) };
        assert!(none.eal_argument().unwrap().contains("framecnt=4"));
    }

    #[test]
    fn an_mtu_that_no_slot_can_hold_is_refused() {
        assert_eq!(port(65535).eal_argument(), None);
        assert_eq!(port(65535).data_room(), None);
        assert!(port(32000).eal_argument().is_some());
    }
}
