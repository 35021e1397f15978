//! Shutting EAL down too early. A file of its own, because EAL starts once per process.

use dpdk::Error;
use dpdk::eal::Eal;
use dpdk::mempool::{DATA_ROOM, Mempool};

#[test]
fn memory_that_is_in_use_survives_a_shutdown() {
    let args = ["--no-huge", "-m64", "--no-pci", "--no-shconf", "--no-telemetry"].map(String::from);
    let prefix = format!("--file-prefix=dpdk-test-{}", std::process::id());
    let eal = Eal::init(&[&args[..], &[prefix]].concat()).expect("EAL starts without huge pages");
    let pool = Mempool::new(eal.handle(), "packets", 63, 0, DATA_ROOM, None).expect("a small pool");
    let packet = pool.packet(b"still here").expect("one");

    let refused = eal.shutdown().expect_err("a pool and a packet are held");
    assert!(matches!(refused, Error::StillInUse { handles: 1, mbufs: 1 }), "{refused}");
    assert_eq!((packet.data(), pool.in_use()), (&b"still here"[..], 1));
    drop(packet);
    assert_eq!(pool.in_use(), 0);
    assert!(matches!(Eal::init(&[]), Err(Error::EalStartedTwice)));
}
