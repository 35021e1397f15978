//! Names that few rules ask for: each kind has its file, which is read when the first one of that kind is asked for.
use super::Names;
use crate::number;
use std::cell::OnceCell;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A user of the host, for `-m owner`.
    User,
    /// A group of users, for `-m owner`.
    Group,
    /// A group of interfaces, for `-m devgroup`.
    DeviceGroup,
    /// A realm of routes, for `-m realm`.
    Realm,
}

impl Kind {
    /// The file that has the names.
    pub fn path(self) -> &'static str {
        match self {
            Kind::User => "/etc/passwd",
            Kind::Group => "/etc/group",
            Kind::DeviceGroup => "/etc/iproute2/group",
            Kind::Realm => "/etc/iproute2/rt_realms",
        }
    }

    /// The names in the file's text, in its order; lines that are not in the format are passed over.
    fn read(self, text: &str) -> Vec<(u32, String)> {
        match self {
            Kind::User | Kind::Group => text.lines().filter_map(account).collect(),
            Kind::DeviceGroup | Kind::Realm => text.lines().filter_map(numbered).collect(),
        }
    }
}

/// `name:password:number:...`
fn account(line: &str) -> Option<(u32, String)> {
    let mut fields = line.split(':');
    let (name, number) = (fields.next()?, fields.nth(1)?);
    Some((number.parse().ok()?, name.to_owned()))
}

/// `number name`, as iproute2 has them; the number in any base.
fn numbered(line: &str) -> Option<(u32, String)> {
    let (number, rest) = number::prefix(line)?;
    let name = rest.split_whitespace().next().filter(|_| rest.starts_with([' ', '\t']))?;
    Some((u32::try_from(number).ok()?, name.to_owned()))
}

/// The host's names with those of files that are read when they are needed, for the time of one command.
pub struct WithFiles<'a> {
    names: &'a dyn Names,
    /// Reads the file of a kind; empty if there is none.
    read: &'a dyn Fn(Kind) -> String,
    users: OnceCell<Vec<(u32, String)>>,
    groups: OnceCell<Vec<(u32, String)>>,
    device_groups: OnceCell<Vec<(u32, String)>>,
    realms: OnceCell<Vec<(u32, String)>>,
}

impl<'a> WithFiles<'a> {
    /// All others come from `names`.
    pub fn new(names: &'a dyn Names, read: &'a dyn Fn(Kind) -> String) -> WithFiles<'a> {
        WithFiles {
            names,
            read,
            users: OnceCell::new(),
            groups: OnceCell::new(),
            device_groups: OnceCell::new(),
            realms: OnceCell::new(),
        }
    }

    fn all(&self, kind: Kind) -> &[(u32, String)] {
        let cell = match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
            Kind::DeviceGroup => &self.device_groups,
            Kind::Realm => &self.realms,
        };
        cell.get_or_init(|| kind.read(&(self.read)(kind)))
    }
}

impl Names for WithFiles<'_> {
    fn behind(&self) -> Option<&dyn Names> {
        Some(self.names)
    }

    fn number_of(&self, kind: Kind, name: &str) -> Option<u32> {
        self.all(kind).iter().find(|(_, other)| other == name).map(|(number, _)| *number)
    }

    fn name_of(&self, kind: Kind, number: u32) -> Option<&str> {
        self.all(kind).iter().find(|(other, _)| *other == number).map(|(_, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Builtin;

    #[test]
    fn a_file_is_read_once_and_only_when_a_name_of_its_kind_is_asked_for() {
        let asked = std::cell::RefCell::new(Vec::new());
        let read = |kind| {
            asked.borrow_mut().push(kind);
            "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:\nbroken\nuser:x:1000:1000\n".to_owned()
        };
        let names = WithFiles::new(&Builtin, &read);
        assert_eq!(names.protocol_number("tcp"), Some(6));
        assert_eq!(names.number_of(Kind::User, "toor"), Some(0));
        assert_eq!(names.name_of(Kind::User, 0), Some("root"));
        assert_eq!((names.name_of(Kind::User, 1000), names.number_of(Kind::User, "broken")), (Some("user"), None));
        assert_eq!(*asked.borrow(), [Kind::User]);
    }

    #[test]
    fn realms_have_their_numbers_in_front() {
        let names = "#\n# reserved\n0\tcosmos\n0x10 wide # comment\n7\n12x no\n 8  eight\n";
        assert_eq!(Kind::Realm.read(names), [(0, "cosmos".to_owned()), (16, "wide".to_owned()), (8, "eight".to_owned())]);
    }
}
