# Options of create.
$ create x hash:ip foo 1
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ create x hash:ip timeout
2> ipset v7.17: Missing mandatory argument of option `timeout'
2> Try `ipset help' for more information.
= 2
$ create x hash:ip timeout abc
2> ipset v7.17: Syntax error: 'abc' is invalid as number
= 1
$ create x hash:ip timeout -1
2> ipset v7.17: Syntax error: '-1' is out of range 0-2147483
= 1
$ create x hash:ip timeout 99999999999
2> ipset v7.17: Syntax error: '99999999999' is out of range 0-2147483
= 1
$ create x hash:ip family inet7
2> ipset v7.17: Syntax error: unknown inet family inet7
= 1
$ create x hash:ip netmask 33
2> ipset v7.17: Syntax error: '33' is out of range 1-32
2> Syntax error: netmask is out of the inclusive range of 1-32
= 1
$ create x hash:ip netmask 0
2> ipset v7.17: Syntax error: '0' is out of range 1-32
2> Syntax error: netmask is out of the inclusive range of 1-32
= 1
$ create x hash:ip netmask x
2> ipset v7.17: Syntax error: 'x' is invalid as number
2> Syntax error: netmask is out of the inclusive range of 1-32
= 1
$ create x hash:ip timeout 5 timeout 6
2> ipset v7.17: Syntax error: timeout already specified
= 1
$ create x hash:ip hashsize 0
$ list -t x
1> Name: x
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 64 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create a hash:ip counters comment timeout 100 skbinfo netmask 24 hashsize 1000 maxelem 10 bucketsize 5 initval 0x1234
$ list a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 6 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1> Members:
$ save a
1> create a hash:ip family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 6 initval 0x?
$ create b hash:ip bitmask 255.255.0.255
$ list b
1> Name: b
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bitmask 255.255.0.255 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1> Members:
$ add b 1.2.3.4
$ list b
1> Name: b
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bitmask 255.255.0.255 bucketsize 12 initval 0x?
1> Size in memory: 256
1> References: 0
1> Number of entries: 1
1> Members:
1> 1.2.0.4
$ create c hash:ip bitmask 255.255.0.255 netmask 24
2> ipset v7.17: Syntax error: bitmask and netmask are mutually exclusive, provide only one
= 1
$ create c hash:ip family inet6 netmask 64
$ list c
1> Name: c
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 netmask 64 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
1> Members:
$ add c 1::2
$ list c
1> Name: c
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 netmask 64 bucketsize 12 initval 0x?
1> Size in memory: 288
1> References: 0
1> Number of entries: 1
1> Members:
1> 1::
$ create x1 hash:ip -6
$ list -t x1
1> Name: x1
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
$ create x2 hash:ip -4
$ create x3 hash:ip inet6
2> ipset v7.17: Unknown argument: `inet6'
2> Try `ipset help' for more information.
= 2
$ create x3 hash:ip family inet6 family inet
2> ipset v7.17: Syntax error: family already specified
= 1
$ create x3 hash:ip -6 -4
2> ipset v7.17: Syntax error: -4 already specified
= 1
$ create x3 hash:ip netmask 24 family inet6
$ create x4 hash:ip netmask 64 family inet6
$ create x5 hash:ip family inet6 netmask 128
$ list -t x5
1> Name: x5
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
$ create x6 hash:ip netmask 32
$ list -t x6
1> Name: x6
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x7 hash:ip bitmask 255.255.255.255
$ list -t x7
1> Name: x7
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x8 hash:ip bitmask 0.0.0.0
2> ipset v7.17: The value of the netmask parameter is invalid
= 1
$ create x8 hash:ip bitmask foo
2> ipset v7.17: Syntax error: cannot parse foo: resolving to IPv4 address failed
2> Syntax error: bitmask is not valid for family = inet
= 1
$ create x9 hash:ip family inet6 bitmask ffff::ffff
$ list -t x9
1> Name: x9
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bitmask ffff::ffff bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
$ create x10 hash:ip bitmask ffff::ffff
2> ipset v7.17: Syntax error: cannot parse ffff::ffff: resolving to IPv4 address failed
2> Syntax error: bitmask is not valid for family = inet
= 1
$ create x11 hash:ip bucketsize 1
$ list -t x11
1> Name: x11
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 2 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x12 hash:ip bucketsize 20
$ list -t x12
1> Name: x12
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x13 hash:ip bucketsize 256
2> ipset v7.17: Syntax error: '256' is out of range 0-255
= 1
$ create x13 hash:ip bucketsize 0
$ list -t x13
1> Name: x13
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 2 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x14 hash:ip initval 0
$ list -t x14
1> Name: x14
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x15 hash:ip initval 0xfffffffff
2> ipset v7.17: Syntax error: '0xfffffffff' is out of range 0-4294967295
= 1
$ create x15 hash:ip hashsize 4294967295
2> ipset v7.17: Kernel error received: Cannot allocate memory
= 1
$ create x16 hash:ip hashsize 65
$ list -t x16
1> Name: x16
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 128 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create x17 hash:ip maxelem 0
$ list -t x17
1> Name: x17
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 0 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ add x17 1.1.1.1
2> ipset v7.17: Hash is full, cannot add more elements
= 1
$ create x18 hash:ip netmask
2> ipset v7.17: Missing mandatory argument of option `netmask'
2> Try `ipset help' for more information.
= 2
$ create x18 hash:ip gc 5
2> Warning: Option '--gc 5' is ignored. Please upgrade your syntax.
$ create x18 hash:ip --timeout 5
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ create x18 hash:ip -timeout 5
2> ipset v7.17: Unknown argument: `-timeout'
2> Try `ipset help' for more information.
= 2
$ create x18 hash:ip time 5
2> ipset v7.17: Unknown argument: `time'
2> Try `ipset help' for more information.
= 2
$ create x18 hash:ip timeout 2147483
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ create x19 hash:ip timeout 2147484
2> ipset v7.17: Syntax error: '2147484' is out of range 0-2147483
= 1
$ create x19 hash:ip hashsize 010 maxelem 0x20
$ list -t x19
1> Name: x19
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 64 maxelem 32 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create zz iphash
$ create zz1 ipmap range 10.0.0.0/24
$ create zz2 macipmap --network 10.0.0.0/24
$ create zz3 portmap --from 1 --to 10
$ create zz4 nethash --probes 3 --resize 40
2> Warning: Option '--probes 3' is ignored. Please upgrade your syntax.
2> Option '--resize 40' is ignored. Please upgrade your syntax.
$ create zz5 ipporthash --from 10.0.0.0 --to 10.0.0.255
2> Warning: Option '--from 10.0.0.0' is ignored. Please upgrade your syntax.
2> Option '--to 10.0.0.255' is ignored. Please upgrade your syntax.
$ create zz6 setlist --size 4
$ create zz7 ipportiphash --hashsize 64
$ create zz8 ipportnethash
$ create zz9 iptree
2> ipset v7.17: Syntax error: typename 'iptree' is unknown
= 1
$ list -t
1> Name: x
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 64 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 6 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: b
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bitmask 255.255.0.255 bucketsize 12 initval 0x?
1> Size in memory: 256
1> References: 0
1> Number of entries: 1
1>
1> Name: c
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 netmask 64 bucketsize 12 initval 0x?
1> Size in memory: 288
1> References: 0
1> Number of entries: 1
1>
1> Name: x1
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
1>
1> Name: x2
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x3
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 netmask 24 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
1>
1> Name: x4
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 netmask 64 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
1>
1> Name: x5
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
1>
1> Name: x6
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x7
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x9
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bitmask ffff::ffff bucketsize 12 initval 0x?
1> Size in memory: 224
1> References: 0
1> Number of entries: 0
1>
1> Name: x11
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 2 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x12
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x13
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 2 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x14
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x16
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 128 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x17
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 0 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x18
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: x19
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 64 maxelem 32 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: zz
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: zz1
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.255
1> Size in memory: 120
1> References: 0
1> Number of entries: 0
1>
1> Name: zz2
1> Type: bitmap:ip,mac
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.255
1> Size in memory: 2160
1> References: 0
1> Number of entries: 0
1>
1> Name: zz3
1> Type: bitmap:port
1> Revision: 3
1> Header: range 1-10
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
1>
1> Name: zz4
1> Type: hash:net
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 456
1> References: 0
1> Number of entries: 0
1>
1> Name: zz5
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: zz7
1> Type: hash:ip,port,ip
1> Revision: 6
1> Header: family inet hashsize 64 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 208
1> References: 0
1> Number of entries: 0
1>
1> Name: zz8
1> Type: hash:ip,port,net
1> Revision: 8
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 464
1> References: 0
1> Number of entries: 0
1>
1> Name: zz6
1> Type: list:set
1> Revision: 3
1> Header: size 4
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
$ destroy
$ create b1 hash:ip bitmask 255.255.255.0
$ list -t b1
1> Name: b1
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bitmask 255.255.255.0 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ create i hash:ip,port bitmask 255.255.255.0
$ create i1 hash:ip,port netmask 24
$ list -t i
1> Name: i
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x? bitmask 255.255.255.0
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ list -t i1
1> Name: i1
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x? netmask 24
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ add i1 1.2.3.4,5
$ list i1
1> Name: i1
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x? netmask 24
1> Size in memory: 264
1> References: 0
1> Number of entries: 1
1> Members:
1> 1.2.3.0,tcp:5
$ create q hash:ip timeout ''
2> ipset v7.17: Syntax error: '' is invalid as number
= 1
$ create q hash:ip family
2> ipset v7.17: Missing mandatory argument of option `family'
2> Try `ipset help' for more information.
= 2
$ create q hash:ip -4 inet
2> ipset v7.17: Unknown argument: `inet'
2> Try `ipset help' for more information.
= 2
$ create q2 bitmap:ip --from 10.0.0.0 --to 10.0.0.9
$ list -t q2
1> Name: q2
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.9
1> Size in memory: 96
1> References: 0
1> Number of entries: 0
$ create q3 bitmap:ip from 10.0.0.0 to 10.0.0.9
$ create q4 bitmap:ip --network 10.0.0.0/30 --netmask 31
$ create q5 bitmap:ip --network 10.0.0.0/30 range 10.0.0.0/30
2> ipset v7.17: Syntax error: range already specified
= 1
$ create q6 bitmap:port --from 5
2> ipset v7.17: Mandatory option `to' is missing
2> Try `ipset help' for more information.
= 2
$ create q6 bitmap:port --to 5
2> ipset v7.17: Mandatory option `range' is missing
2> Try `ipset help' for more information.
= 2
$ create q7 hash:ip --hashsize 64 --maxelem 5 --netmask 24 --family inet
$ create q8 hash:ip --netmask 24 --family inet --counters
$ create l1 list:set size 0
$ create l2 list:set size 70000
$ create l3 list:set family inet
2> ipset v7.17: Unknown argument: `family'
2> Try `ipset help' for more information.
= 2
$ create l3 list:set hashsize 4
2> ipset v7.17: Unknown argument: `hashsize'
2> Try `ipset help' for more information.
= 2
$ create l3 list:set size 4294967296
2> ipset v7.17: Syntax error: '4294967296' is out of range 0-4294967295
= 1
$ list -t
1> Name: b1
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bitmask 255.255.255.0 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: i
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x? bitmask 255.255.255.0
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: i1
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x? netmask 24
1> Size in memory: 264
1> References: 0
1> Number of entries: 1
1>
1> Name: q2
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.9
1> Size in memory: 96
1> References: 0
1> Number of entries: 0
1>
1> Name: q3
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.9
1> Size in memory: 96
1> References: 0
1> Number of entries: 0
1>
1> Name: q4
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.3 netmask 31
1> Size in memory: 96
1> References: 0
1> Number of entries: 0
1>
1> Name: q7
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 64 maxelem 5 netmask 24 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: q8
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 netmask 24 counters bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: l1
1> Type: list:set
1> Revision: 3
1> Header: size 4
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
1>
1> Name: l2
1> Type: list:set
1> Revision: 3
1> Header: size 70000
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
$ -exist create l1 list:set size 3
$ create n1 hash:net netmask 24
2> ipset v7.17: Unknown argument: `netmask'
2> Try `ipset help' for more information.
= 2
$ create n1 hash:net,iface netmask 24
2> ipset v7.17: Unknown argument: `netmask'
2> Try `ipset help' for more information.
= 2
$ create n1 hash:net bitmask 255.255.255.0
2> ipset v7.17: Unknown argument: `bitmask'
2> Try `ipset help' for more information.
= 2
$ create n1 hash:ip,port,ip markmask 5
2> ipset v7.17: Unknown argument: `markmask'
2> Try `ipset help' for more information.
= 2
$ create n1 bitmap:ip range 10.0.0.0/24 hashsize 5
2> ipset v7.17: Unknown argument: `hashsize'
2> Try `ipset help' for more information.
= 2
$ create n1 bitmap:port range 1-5 netmask 24
2> ipset v7.17: Unknown argument: `netmask'
2> Try `ipset help' for more information.
= 2
$ create n1 list:set counters counters timeout 4 comment skbinfo
$ list -t n1
1> Name: n1
1> Type: list:set
1> Revision: 3
1> Header: size 8 timeout 4 counters comment skbinfo
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
$ create x hash:ip timeout abc foo
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ create x hash:ip netmask 0 timeout x
2> ipset v7.17: Syntax error: '0' is out of range 1-32
2> Syntax error: netmask is out of the inclusive range of 1-32
= 1
$ create x hash:ip hashsize x timeout y
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ create x bitmap:port range x foo
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ create x bitmap:ip range x netmask 0
2> ipset v7.17: Syntax error: IP/cidr or IP-IP range must be specified: x
= 1
$ create x hash:ip family foo bar
2> ipset v7.17: Syntax error: unknown inet family foo
= 1
$ create x hash:ip timeout 5 timeout 6 foo
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ create p hash:ip,port netmask 24
$ add p 10.0.0.9-10.0.0.10,80
$ save p -s
1> create p hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x? netmask 24
1> add p 10.0.0.0,tcp:80
1> add p 10.0.0.1,tcp:80
1> add p 10.0.0.2,tcp:80
1> add p 10.0.0.3,tcp:80
1> add p 10.0.0.4,tcp:80
1> add p 10.0.0.5,tcp:80
1> add p 10.0.0.6,tcp:80
1> add p 10.0.0.7,tcp:80
1> add p 10.0.0.8,tcp:80
1> add p 10.0.0.9,tcp:80
1> add p 10.0.0.10,tcp:80
