//! Lists of `-m recent`, looked at and changed from outside while packets come.

use std::time::Duration;

use anyhow::{Result, ensure};
use net::kernel;
use net::lab::{Lab, OUTSIDE, Shape};
use net::process::wait_until;

/// What a ping has of bytes if nobody says otherwise.
const PING: usize = 84;
const RULES: &str = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p icmp --icmp-type echo-request -m recent --name pings --set\n\
                     -A FORWARD -m recent --name barred --rcheck -j DROP\nCOMMIT\n";

/// A list, as the kernel's file of it reads.
fn list(lab: &Lab, name: &str) -> Result<String> {
    match kernel::under_test() {
        true => lab.ok(&format!("cat /proc/net/xt_recent/{name}")),
        false => lab.ok(&format!("rampart recent {name}")),
    }
}

/// Whether this could be written into that file, and what was said.
fn write(lab: &Lab, name: &str, text: &str) -> Result<(bool, String)> {
    match kernel::under_test() {
        true => lab.cli(&format!("sh -c \"echo '{text}' > /proc/net/xt_recent/{name}\"")),
        false => lab.cli(&format!("rampart recent {name} '{text}'")),
    }
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_list_is_shown_and_changed_as_by_the_kernels_file() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.route_inward()?;
    lab.restore(RULES)?;
    let passes = |lab: &Lab| lab.ping_inward(PING);
    wait_until("neighbours", Duration::from_secs(10), || passes(&lab))?;
    if !kernel::lacks("a command that names all lists") {
        ensure!(lab.ok("rampart recent")? == "barred\npings\n", "all lists");
    }
    let change = |text: &str| -> Result<()> {
        let (done, said) = write(&lab, "barred", text)?;
        ensure!(done && said.is_empty(), "{text}: {said}");
        Ok(())
    };
    let pings = list(&lab, "pings")?;
    ensure!(pings.lines().count() == 1 && pings.starts_with(&format!("src={OUTSIDE} ttl: 64 last_seen: ")), "{pings}");
    ensure!(list(&lab, "barred")?.is_empty(), "nobody is barred");

    change(&format!("+{OUTSIDE}"))?;
    ensure!(!passes(&lab)?, "barred from the next packet on");
    let once = list(&lab, "barred")?;
    ensure!(once.starts_with(&format!("src={OUTSIDE} ttl: 0 last_seen: ")) && once.contains(" oldest_pkt: 1 "), "{once}");
    change(&format!("+{OUTSIDE}"))?;
    change("+2001:db8::1")?;
    let twice = list(&lab, "barred")?;
    let line = twice.lines().find(|line| line.contains(OUTSIDE)).unwrap_or_default();
    let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [_, _, _, _, last, _, "2", first, second] = words[..] else { anyhow::bail!("{twice}") };
    ensure!(last == second && first.parse::<u64>()? <= second.parse()?, "{line}");
    ensure!(twice.contains("src=2001:0db8:0000:0000:0000:0000:0000:0001 ttl: 0 "), "{twice}");

    change(&format!("-{OUTSIDE}"))?;
    change(&format!("-{OUTSIDE}"))?;
    ensure!(passes(&lab)?, "set free");
    change(&format!("+{OUTSIDE}"))?;
    change("/")?;
    ensure!(list(&lab, "barred")?.is_empty() && passes(&lab)?, "all forgotten");
    ensure!(list(&lab, "pings")?.contains(OUTSIDE), "the other list is as it was");

    for wrong in ["x", OUTSIDE, "+203.0.113", "+203.0.113.0/24"] {
        ensure!(!write(&lab, "barred", wrong)?.0, "{wrong} was taken");
    }
    ensure!(!write(&lab, "nobody", "/")?.0, "there is no such list");
    lab.ok("iptables -F FORWARD")?;
    ensure!(!write(&lab, "barred", "/")?.0, "no rule names it any more");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn without_a_dataplane_there_are_no_lists() -> Result<()> {
    if kernel::lacks("a control daemon") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(RULES)?;
    lab.stop_dataplane(true)?;
    let (done, said) = lab.cli("rampart recent barred")?;
    ensure!(!done && said.contains("rampart recent: there are no lists: nothing is enforced"), "{said}");
    Ok(())
}
