//! Which of its IPv6 addresses the box speaks from: the engine's choice beside the kernel's, for many sets of addresses.

use std::net::Ipv6Addr;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use engine::host::{Address, FamilyHost, FamilyParts};
use net::namespace::Namespace;
use net::process::{run, wait_until};
use packet::Ipv6;
use program::InterfaceId;

use crate::linux::{self, QUIET, set, tap};
use crate::world::Port;

/// Of every scope and label, some of them near to each other.
const OWN: [&str; 14] = [
    "2001:db8:a00::1/64",
    "2001:db8:a00::77/128",
    "2001:db8:a00:1::1/64",
    "2001:db8:aff::1/48",
    "2001:db8::1/32",
    "2002:a00:1::1/64",
    "2001:0:1::1/64",
    "2001:10::1/64",
    "3ffe::1/64",
    "fc00:1::1/64",
    "fd00:2::1/64",
    "fec0::1/64",
    "fe80::77/64",
    "fe80::78/64",
];

const TOWARDS: [&str; 14] = [
    "2001:db8:a00::2",
    "2001:db8:a00:1::2",
    "2001:db8:a00:2::2",
    "2600::1",
    "2002:808::1",
    "2001:0:2::2",
    "2001:10::2",
    "3ffe::2",
    "fc00:1::2",
    "fd00:3::2",
    "fec0::2",
    "fe80::2",
    "2001:db8:aff::2",
    "::ffff:0:808:808",
];

/// Sets of addresses.
const ROUNDS: u64 = 40;

/// The addresses of this namespace in the kernel's order.
fn own() -> Result<Vec<Address<Ipv6>>> {
    let listing = run(Command::new("ip").args(["-6", "-o", "address", "show"]))?;
    let mut all = Vec::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(port) = Port::named(words[1]) else { continue };
        let (address, len) = words[3].split_once('/').context("an address and its prefix")?;
        let id = InterfaceId(port.index() as u16 + 1);
        let deprecated = words.contains(&"deprecated");
        all.push(Address { deprecated, ..Address::new(id, address.parse::<Ipv6Addr>()?.to_bits(), len.parse()?) });
    }
    Ok(all)
}

/// What the kernel would speak from.
fn chosen(port: Port, towards: &str) -> Result<Ipv6Addr> {
    let route = run(Command::new("ip").args(["-6", "-o", "route", "get", towards, "oif", port.name()]))?;
    let source = route.split_whitespace().skip_while(|word| *word != "src").nth(1).with_context(|| route.clone())?;
    Ok(source.parse()?)
}

#[test]
#[ignore = "needs namespaces: make test-kernel-processes-short"]
fn the_box_speaks_from_the_address_that_the_kernel_would() {
    let home = Namespace::new("sources").expect("a namespace");
    let seen = home.within(compare_choices).expect("a thread in it");
    run(Command::new("ip").args(["netns", "del", home.name()])).expect("it goes");
    let seen = seen.unwrap_or_else(|error| panic!("{error:?}"));
    assert!(seen > 20, "only {seen} addresses were ever chosen, each by one interface");
}

fn compare_choices() -> Result<usize> {
    set(QUIET)?;
    let _taps = Port::ALL.map(|port| tap(port.name(), port.mac()));
    let mut state = 7u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut batch = String::new();
        for port in Port::ALL {
            batch.push_str(&format!("address flush dev {}\n", port.name()));
        }
        for port in Port::ALL {
            batch.push_str(&format!("address add {}/64 dev {} nodad\n", port.link_local(), port.name()));
        }
        for address in OWN {
            let lasts = if below(4) == 0 { "preferred_lft 0" } else { "" };
            if let Some(port) = Port::ALL.get(below(4) as usize) {
                batch.push_str(&format!("address add {address} dev {} nodad {lasts}\n", port.name()));
            }
        }
        for port in Port::ALL {
            batch.push_str(&format!("route replace default dev {} metric {}\n", port.name(), 5000 + port.index()));
        }
        let mut ip = Command::new("ip");
        ip.args(["-6", "-batch", "-"]);
        let said = linux::output(ip, &batch)?;
        ensure!(said.status.success(), "{}\n{batch}", String::from_utf8_lossy(&said.stderr));
        wait_until("the addresses are used", std::time::Duration::from_secs(5), || {
            Ok(!run(Command::new("ip").args(["-6", "address", "show"]))?.contains("tentative"))
        })?;
        let addresses = own()?;
        let host = FamilyHost::<Ipv6>::new(FamilyParts { addresses: addresses.clone(), ..FamilyParts::default() });
        for port in Port::ALL {
            for towards in TOWARDS {
                let dst = towards.parse::<Ipv6Addr>()?.to_bits();
                let theirs = chosen(port, towards)?;
                let ours = host.source_address(InterfaceId(port.index() as u16 + 1), dst, dst).map(Ipv6Addr::from);
                ensure!(ours == Some(theirs), "towards {towards} by {}: kernel {theirs}, rampart {ours:?}\n{batch}", port.name());
                seen.insert((port, theirs));
            }
        }
    }
    Ok(seen.len())
}
