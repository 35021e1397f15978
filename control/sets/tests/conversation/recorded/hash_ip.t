# hash:ip, and the extensions.
$ create a hash:ip counters comment timeout 100 skbinfo netmask 24 maxelem 10 initval 0x1234
$ add a 1.2.3.4 timeout 5000 packets 3 bytes 4 comment "hi there" skbmark 0x1/0xff skbprio 1:10 skbqueue 7
$ list a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 12 initval 0x?
1> Size in memory: 385
1> References: 0
1> Number of entries: 1
1> Members:
1> 1.2.3.0 timeout 4999 packets 3 bytes 4 comment "hi there" skbmark 0x1/0xff skbprio 1:10 skbqueue 7
$ save a
1> add a 1.2.3.0 timeout 4999 packets 3 bytes 4 comment "hi there" skbmark 0x1/0xff skbprio 1:10 skbqueue 7
1> create a hash:ip family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 12 initval 0x?
$ list a -o xml
1> <ipsets>
1> <ipset name="a">
1> <type>hash:ip</type>
1> <revision>6</revision>
1> <header><family>inet</family><hashsize>1024</hashsize><maxelem>10</maxelem><netmask>24</netmask><timeout>100</timeout><counters/><comment/><skbinfo/><bucketsize>12</bucketsize><initval>0x?</initval>
1> <memsize>385</memsize>
1> <references>0</references>
1> <numentries>1</numentries>
1> </header>
1> <members>
1> <member><elem>1.2.3.0</elem><timeout>4999</timeout><packets>3</packets><bytes>4</bytes><comment>"hi there"</comment><skbmark>0x1/0xff</skbmark><skbprio>1:10</skbprio><skbqueue>7</skbqueue></member>
1> </members>
1> </ipset>
1> </ipsets>
$ add a 1.2.4.4 skbmark 5
2> ipset v7.17: Syntax error: Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)
= 1
$ add a 1.2.5.4 skbmark 0x5/0x7 comment ''
$ list a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 2
1> Members:
1> 1.2.3.0 timeout 4999 packets 3 bytes 4 comment "hi there" skbmark 0x1/0xff skbprio 1:10 skbqueue 7
1> 1.2.5.0 timeout 99 packets 0 bytes 0 skbmark 0x5/0x7
$ test a 1.2.5.9 timeout 5
2> ipset v7.17: Unknown argument: `timeout'
2> Try `ipset help' for more information.
= 2
$ test a 1.2.5.9 packets 5
2> ipset v7.17: Unknown argument: `packets'
2> Try `ipset help' for more information.
= 2
$ del a 1.2.5.9 timeout 5
2> ipset v7.17: Unknown argument: `timeout'
2> Try `ipset help' for more information.
= 2
$ add a 1.9.9.9 skbprio x
2> ipset v7.17: Syntax error: Invalid skbprio format, it should be:MAJOR:MINOR (see manpage)
= 1
$ add a 1.9.9.9 skbmark x
2> ipset v7.17: Syntax error: Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)
= 1
$ add a 1.9.9.9 skbmark 0x
2> ipset v7.17: Syntax error: Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)
= 1
$ add a 1.9.9.9 skbmark 0X5
2> ipset v7.17: Syntax error: Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)
= 1
$ add a 1.9.9.9 skbprio 1:
2> ipset v7.17: Syntax error: Invalid skbprio format, it should be:MAJOR:MINOR (see manpage)
= 1
$ add a 1.9.9.9 skbqueue x
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ add a 1.9.9.9 skbqueue 65536
2> ipset v7.17: Syntax error: '65536' is out of range 0-65535
= 1
$ add a 1.9.9.9 packets 18446744073709551616
2> ipset v7.17: Syntax error: '18446744073709551616' is out of range 0-18446744073709551614
= 1
$ add a 1.9.9.9 packets -1
2> ipset v7.17: Syntax error: '-1' is out of range 0-18446744073709551614
= 1
$ add a 1.9.9.9 packets x
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ add a 1.9.9.9 packets 0x10
$ add a 1.9.9.9 timeout 010
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add a 1.9.8.9 timeout 010 timeout 5
2> ipset v7.17: Syntax error: timeout already specified
= 1
$ add a 1.9.8.9 comment a comment b
2> ipset v7.17: Syntax error: comment already specified
= 1
$ add a 1.9.8.9 comment
2> ipset v7.17: Missing mandatory argument of option `comment'
2> Try `ipset help' for more information.
= 2
$ add a 1.9.8.9 comment -q
= 2
$ -exist add a 1.2.3.9
$ list a -s
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 3
1> Members:
1> 1.2.3.0 timeout 99 packets 3 bytes 4
1> 1.2.5.0 timeout 99 packets 0 bytes 0 skbmark 0x5/0x7
1> 1.9.9.0 timeout 99 packets 16 bytes 0
$ -exist add a 1.2.3.9 packets 7 comment x
$ list a -s
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 3
1> Members:
1> 1.2.3.0 timeout 99 packets 7 bytes 4 comment "x"
1> 1.2.5.0 timeout 99 packets 0 bytes 0 skbmark 0x5/0x7
1> 1.9.9.0 timeout 99 packets 16 bytes 0
$ create b hash:ip bitmask 255.255.0.255
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
$ add b 1::2
2> ipset v7.17: Syntax error: cannot parse 1::2: resolving to IPv4 address failed
= 1
$ add b 1.2.3.0/33
2> ipset v7.17: Syntax error: '33' is out of range 0-32
= 1
$ add b 1.2.3.0/0
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add b 10.0.0.9-
2> ipset v7.17: Syntax error: cannot parse 10.0.0.9-: resolving to IPv4 address failed
= 1
$ add b 10.0.0.9,80
2> ipset v7.17: Syntax error: Elem separator in 10.0.0.9,80, but settype hash:ip supports none.
= 1
$ add b 10.0.0.9 timeout 5
2> ipset v7.17: Timeout cannot be used: set was created without timeout support
= 1
$ add b 10.0.0.9 comment x
2> ipset v7.17: Comment cannot be used: set was created without comment support
= 1
$ add b 10.0.0.9 packets 5
2> ipset v7.17: Packet/byte counters cannot be used: set was created without counter support
= 1
$ add b 10.0.0.9 bytes 5
2> ipset v7.17: Packet/byte counters cannot be used: set was created without counter support
= 1
$ add b 10.0.0.9 skbmark 0x5
2> ipset v7.17: Skbinfo mapping cannot be used: set was created without skbinfo support
= 1
$ add b 10.0.0.9 skbqueue 5
2> ipset v7.17: Skbinfo mapping cannot be used: set was created without skbinfo support
= 1
$ add b 10.0.0.9 nomatch
2> ipset v7.17: Unknown argument: `nomatch'
2> Try `ipset help' for more information.
= 2
$ add b 10.0.0.9 foo
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ add b 10.0.0.9 comment
2> ipset v7.17: Missing mandatory argument of option `comment'
2> Try `ipset help' for more information.
= 2
$ add b 0.0.0.0
2> ipset v7.17: Null-valued element, cannot be stored in a hash type of set
= 1
$ test b 0.0.0.0
2> 0.0.0.0 is NOT in set b.
= 1
$ create c hash:ip family inet6
$ add c ::
2> ipset v7.17: Null-valued element, cannot be stored in a hash type of set
= 1
$ add c 1::/64
2> ipset v7.17: Syntax error: plain IP address must be supplied: 1::/64
= 1
$ add c 1::/64-1::5
2> ipset v7.17: Syntax error: plain IP address must be supplied: 1::/64-1::5
= 1
$ add c 1::2-1::5
2> ipset v7.17: Syntax error: plain IP address must be supplied: 1::2-1::5
= 1
$ add c 1.2.3.4
2> ipset v7.17: Syntax error: cannot parse 1.2.3.4: resolving to IPv6 address failed
= 1
$ add c ::1.2.3.4
$ add c ::ffff:1.2.3.4
$ add c 1:2:3:4:5:6:7:8
$ add c FE80::1
$ add a localhost
$ list c -s
1> Name: c
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
1> Members:
1> ::1.2.3.4
1> ::ffff:1.2.3.4
1> 1:2:3:4:5:6:7:8
1> fe80::1
$ add a nosuchhost.invalid
2> ipset v7.17: Syntax error: cannot parse nosuchhost.invalid: resolving to IPv4 address failed
= 1
$ create n hash:ip maxelem 5
$ add n 0x1.2.3.4
2> ipset v7.17: Syntax error: cannot parse 0x1.2.3.4: resolving to IPv4 address failed
= 1
$ add n 1.2.3.010
$ add n 16909061
$ add n 1.2
$ add n 1.2.3.4.5
2> ipset v7.17: Syntax error: cannot parse 1.2.3.4.5: resolving to IPv4 address failed
= 1
$ add n 1.2.3.256
2> ipset v7.17: Syntax error: cannot parse 1.2.3.256: resolving to IPv4 address failed
= 1
$ add n 10.0.0.0/28
2> ipset v7.17: Hash is full, cannot add more elements
= 1
$ list n -s
1> Name: n
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 5 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 5
1> Members:
1> 1.0.0.2
1> 1.2.3.5
1> 1.2.3.8
1> 10.0.0.0
1> 10.0.0.1
$ del n 10.0.0.0/31
$ del n 10.0.0.0/31
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ create z hash:ip
$ add z 0.0.0.1/30
$ add z 0.0.0.0/30
2> ipset v7.17: Null-valued element, cannot be stored in a hash type of set
= 1
$ add z 0.0.0.5-0.0.0.0
2> ipset v7.17: Null-valued element, cannot be stored in a hash type of set
= 1
$ add z 0.0.0.0-0.0.0.5
2> ipset v7.17: Null-valued element, cannot be stored in a hash type of set
= 1
$ list z -s
1> Name: z
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
1> Members:
1> 0.0.0.0
1> 0.0.0.1
1> 0.0.0.2
1> 0.0.0.3
$ create s hash:ip skbinfo
$ add s 1.1.1.7 skbmark 0x5/0x0
$ add s 1.1.1.8 skbmark 0x0/0x0
$ add s 1.1.1.9 skbmark 0x10/0xffffffff skbprio 0:0 skbqueue 0
$ add s 1.1.1.10 skbprio 0x1:0x2
$ list s -s
1> Name: s
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 skbinfo bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
1> Members:
1> 1.1.1.7 skbmark 0x5/0x0
1> 1.1.1.8
1> 1.1.1.9 skbmark 0x10
1> 1.1.1.10 skbprio 1:2
$ create k hash:ip netmask 24
$ add k 1.2.3.4
$ add k 1.2.3.5
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add k 1.2.4.0/22
$ add k 1.2.9.7-1.2.12.9
$ list k -s
1> Name: k
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 netmask 24 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 9
1> Members:
1> 1.2.3.0
1> 1.2.4.0
1> 1.2.5.0
1> 1.2.6.0
1> 1.2.7.0
1> 1.2.9.0
1> 1.2.10.0
1> 1.2.11.0
1> 1.2.12.0
$ test k 1.2.3.9
2> Warning: 1.2.3.9 is in set k.
$ create one hash:ip
$ add one 10.0.0.1/32
$ test one 10.0.0.1/32
2> Warning: 10.0.0.1 is in set one.
$ test one 10.0.0.1-10.0.0.1
2> Warning: 10.0.0.1-10.0.0.1 is in set one.
$ test one 10.0.0.1-10.0.0.9
2> Warning: 10.0.0.1-10.0.0.9 is in set one.
$ test one 10.0.0.0/24
2> 10.0.0.0/24 is NOT in set one.
= 1
$ test one 10.0.0.1/24
2> Warning: 10.0.0.1/24 is in set one.
$ create one6 hash:ip family inet6
$ add one6 1::1/128
$ add one6 1::1/127
2> ipset v7.17: Syntax error: plain IP address must be supplied: 1::1/127
= 1
$ test one6 1::1/128
2> Warning: 1::1 is in set one6.
$ create map bitmap:ip range 10.0.0.0/24
$ test map 10.0.0.1/32
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type bitmap:ip and family inet
= 1
$ test map 10.0.0.1-10.0.0.1
2> ipset v7.17: FROM-TO IP range is not allowed in command test with set type bitmap:ip and family inet
= 1
$ swap map one
$ test map 10.0.0.1
2> Warning: 10.0.0.1 is in set map.
$ list -t
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 10 netmask 24 timeout 100 counters comment skbinfo bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
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
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
1>
1> Name: n
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 5 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 3
1>
1> Name: z
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
1>
1> Name: s
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 skbinfo bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 4
1>
1> Name: k
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 netmask 24 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 9
1>
1> Name: one
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.255
1> Size in memory: 120
1> References: 0
1> Number of entries: 0
1>
1> Name: one6
1> Type: hash:ip
1> Revision: 6
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 288
1> References: 0
1> Number of entries: 1
1>
1> Name: map
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 256
1> References: 0
1> Number of entries: 1
