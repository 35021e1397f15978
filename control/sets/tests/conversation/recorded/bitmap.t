# bitmap:ip, bitmap:ip,mac and bitmap:port.
$ create a bitmap:ip range 10.0.0.0/24
$ create a1 bitmap:ip range 10.0.0.0/15
2> ipset v7.17: The range you specified exceeds the size limit of the set type
= 1
$ create a1 bitmap:ip range 10.0.0.0-10.0.255.255
$ list -t a1
1> Name: a1
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.255.255
1> Size in memory: 8280
1> References: 0
1> Number of entries: 0
$ create a2 bitmap:ip range 10.0.0.0/8 netmask 24
$ list -t a2
1> Name: a2
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.255.255.255 netmask 24
1> Size in memory: 8280
1> References: 0
1> Number of entries: 0
$ create a3 bitmap:ip range 10.0.0.0/24 netmask 16
2> ipset v7.17: Element is out of the range of the set
= 1
$ create a3 bitmap:ip range 10.0.0.0/24 netmask 0
2> ipset v7.17: Syntax error: '0' is out of range 1-32
2> Syntax error: netmask is out of the inclusive range of 1-32
= 1
$ create a3 bitmap:ip range 10.0.0.0/24 netmask 32
$ list -t a3
1> Name: a3
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.255
1> Size in memory: 120
1> References: 0
1> Number of entries: 0
$ create a4 bitmap:ip range 10.0.0.9-10.0.0.3
$ list -t a4
1> Name: a4
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.3-10.0.0.9
1> Size in memory: 96
1> References: 0
1> Number of entries: 0
$ create a5 bitmap:ip range 10.0.0.9
2> ipset v7.17: Syntax error: IP/cidr or IP-IP range must be specified: 10.0.0.9
= 1
$ create a6 bitmap:ip range 0.0.0.0/0
2> ipset v7.17: The range you specified exceeds the size limit of the set type
= 1
$ create a6 bitmap:ip range 0.0.0.0/0 netmask 16
$ list -t a6
1> Name: a6
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 0.0.0.0-255.255.255.255 netmask 16
1> Size in memory: 8280
1> References: 0
1> Number of entries: 0
$ create a7 bitmap:ip range foo
2> ipset v7.17: Syntax error: IP/cidr or IP-IP range must be specified: foo
= 1
$ create a8 bitmap:ip range 1::/112
2> ipset v7.17: Syntax error: '112' is out of range 0-32
= 1
$ create a8 bitmap:ip range 10.0.0.0/24 family inet
2> ipset v7.17: Unknown argument: `family'
2> Try `ipset help' for more information.
= 2
$ create a8 bitmap:ip range 10.0.0.0/24 -6
2> ipset v7.17: Unknown argument: `-6'
2> Try `ipset help' for more information.
= 2
$ create a9 bitmap:ip range 10.0.0.5/30 netmask 31
$ list -t a9
1> Name: a9
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.4-10.0.0.7 netmask 31
1> Size in memory: 96
1> References: 0
1> Number of entries: 0
$ create r bitmap:ip range 10.0.0.0-x
2> ipset v7.17: Syntax error: cannot parse x: resolving to IPv4 address failed
= 1
$ create r bitmap:ip range x-10.0.0.0
2> ipset v7.17: Syntax error: cannot parse x: resolving to IPv4 address failed
= 1
$ create r bitmap:ip range 10.0.0.0/x
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ create r bitmap:ip netmask 24
2> ipset v7.17: Mandatory option `range' is missing
2> Try `ipset help' for more information.
= 2
$ create r bitmap:ip range 10.0.0.3-10.0.0.9 netmask 31
2> ipset v7.17: Element is out of the range of the set
= 1
$ create r bitmap:ip range 10.0.0.2-10.0.0.9 netmask 31
2> ipset v7.17: Element is out of the range of the set
= 1
$ add a 10.0.0.1
$ add a 10.0.0.1
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add a 10.0.1.1
2> ipset v7.17: Element is out of the range of the set
= 1
$ add a 10.0.0.250-10.0.1.3
2> ipset v7.17: Element is out of the range of the set
= 1
$ add a 10.0.0.4/30
$ add a 10.0.0.5-10.0.0.3
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add a 0.0.0.0/0
2> ipset v7.17: Element is out of the range of the set
= 1
$ add a 10.0.0.0/0
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add a 10.0.0.0/33
2> ipset v7.17: Syntax error: '33' is out of range 0-32
= 1
$ add a 1::1
2> ipset v7.17: Syntax error: cannot parse 1::1: resolving to IPv4 address failed
= 1
$ add a foo.invalid
2> ipset v7.17: Syntax error: cannot parse foo.invalid: resolving to IPv4 address failed
= 1
$ add a4 10.0.0.4/29
2> ipset v7.17: Element is out of the range of the set
= 1
$ list a
1> Name: a
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.255
1> Size in memory: 120
1> References: 0
1> Number of entries: 6
1> Members:
1> 10.0.0.1
1> 10.0.0.3
1> 10.0.0.4
1> 10.0.0.5
1> 10.0.0.6
1> 10.0.0.7
$ test a 10.0.0.4
2> Warning: 10.0.0.4 is in set a.
$ test a 10.0.0.4/31
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type bitmap:ip and family inet
= 1
$ test a 10.0.0.4-10.0.0.5
2> ipset v7.17: FROM-TO IP range is not allowed in command test with set type bitmap:ip and family inet
= 1
$ test a 10.0.1.4
2> 10.0.1.4 is NOT in set a.
= 1
$ del a 10.0.0.4/31
$ del a 10.0.0.4/31
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ del a 10.0.0.4-10.0.0.7
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ del a 10.0.1.0
2> ipset v7.17: Element is out of the range of the set
= 1
$ add a2 10.3.4.5
$ add a2 10.3.5.0-10.3.8.0
$ add a2 10.200.0.0/20
$ list a2
1> Name: a2
1> Type: bitmap:ip
1> Revision: 3
1> Header: range 10.0.0.0-10.255.255.255 netmask 24
1> Size in memory: 8280
1> References: 0
1> Number of entries: 21
1> Members:
1> 10.200.0.0
1> 10.200.1.0
1> 10.200.10.0
1> 10.200.11.0
1> 10.200.12.0
1> 10.200.13.0
1> 10.200.14.0
1> 10.200.15.0
1> 10.200.2.0
1> 10.200.3.0
1> 10.200.4.0
1> 10.200.5.0
1> 10.200.6.0
1> 10.200.7.0
1> 10.200.8.0
1> 10.200.9.0
1> 10.3.4.0
1> 10.3.5.0
1> 10.3.6.0
1> 10.3.7.0
1> 10.3.8.0
$ test a2 10.3.4.0/24
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type bitmap:ip and family inet
= 1
$ test a2 10.3.4.9
2> Warning: 10.3.4.9 is in set a2.
$ del a2 10.3.4.200
$ create m bitmap:ip,mac range 10.0.0.0/30
$ add m 10.0.0.1
$ add m 10.0.0.1,00:11:22:33:44:55
$ add m 10.0.0.2,00:11:22:33:44:aA
$ add m 10.0.0.2,00:11:22:33:44:ab
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ -exist add m 10.0.0.2,00:11:22:33:44:ab
$ add m 10.0.0.2
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add m 10.0.0.3,0:1:2:3:4:5
$ add m 10.0.0.3,00-01-02-03-04-05
2> ipset v7.17: Syntax error: cannot parse '00-01-02-03-04-05' as ethernet address
= 1
$ add m 10.0.0.3,foo
2> ipset v7.17: Syntax error: cannot parse 'foo' as ethernet address
= 1
$ add m 10.0.0.3,00:00:00:00:00:00
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add m 10.0.0.4,00:00:00:00:00:01
2> ipset v7.17: Element is out of the range of the set
= 1
$ add m 10.0.0.0/30,00:00:00:00:00:01
2> ipset v7.17: Syntax error: plain IP address must be supplied: 10.0.0.0/30
= 1
$ add m 10.0.0.0-10.0.0.1,00:00:00:00:00:01
2> ipset v7.17: Syntax error: plain IP address must be supplied: 10.0.0.0-10.0.0.1
= 1
$ add m 10.0.0.0,00:00:00:00:00:01,3
2> ipset v7.17: Syntax error: Two elem separators in 10.0.0.0,00:00:00:00:00:01,3, but settype bitmap:ip,mac supports one.
= 1
$ add m ,00:00:00:00:00:01
2> ipset v7.17: Syntax error: cannot parse ,00:00:00:00:00:01: resolving to IPv4 address failed
= 1
$ add m 10.0.0.0
$ list m
1> Name: m
1> Type: bitmap:ip,mac
1> Revision: 3
1> Header: range 10.0.0.0-10.0.0.3
1> Size in memory: 120
1> References: 0
1> Number of entries: 4
1> Members:
1> 10.0.0.0
1> 10.0.0.1,00:11:22:33:44:55
1> 10.0.0.2,00:11:22:33:44:AB
1> 10.0.0.3,00:01:02:03:04:05
$ save m
1> add m 10.0.0.0
1> add m 10.0.0.1,00:11:22:33:44:55
1> add m 10.0.0.2,00:11:22:33:44:AB
1> add m 10.0.0.3,00:01:02:03:04:05
1> create m bitmap:ip,mac range 10.0.0.0-10.0.0.3
$ test m 10.0.0.0,00:00:00:00:00:01
2> Warning: 10.0.0.0,00:00:00:00:00:01 is in set m.
$ test m 10.0.0.2
2> Warning: 10.0.0.2 is in set m.
$ test m 10.0.0.2,00:11:22:33:44:AB
2> Warning: 10.0.0.2,00:11:22:33:44:AB is in set m.
$ test m 10.0.0.2,00:11:22:33:44:AC
2> 10.0.0.2,00:11:22:33:44:AC is NOT in set m.
= 1
$ test m 10.0.0.1
2> Warning: 10.0.0.1 is in set m.
$ test m 10.0.0.1,00:11:22:33:44:AC
2> 10.0.0.1,00:11:22:33:44:AC is NOT in set m.
= 1
$ del m 10.0.0.2,00:11:22:33:44:AC
$ del m 10.0.0.2
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ create m2 bitmap:ip,mac range 10.0.0.0/15
2> ipset v7.17: The range you specified exceeds the size limit of the set type
= 1
$ create m2 bitmap:ip,mac range 10.0.0.0/30 netmask 31
2> ipset v7.17: Unknown argument: `netmask'
2> Try `ipset help' for more information.
= 2
$ create p bitmap:port range 1-100
$ add p 80
$ add p http
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add p tcp:81
$ add p udp:82
$ add p udp:domain
$ add p domain
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add p 83-85
$ add p 90-87
$ add p 99-102
2> ipset v7.17: Element is out of the range of the set
= 1
$ add p 0
2> ipset v7.17: Element is out of the range of the set
= 1
$ add p 65536
2> ipset v7.17: Syntax error: '65536' is out of range 0-65535
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '65536' as a tcp port
= 1
$ add p foo
2> ipset v7.17: Syntax error: 'foo' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse 'foo' as a tcp port
= 1
$ add p foo:8
2> ipset v7.17: Syntax error: cannot parse 'foo' as a protocol
= 1
$ add p 1.5
2> ipset v7.17: Syntax error: '1.5' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '1.5' as a tcp port
= 1
$ add p 0x10
$ add p 010
$ add p -5
2> ipset v7.17: Syntax error: '-5' is out of range 0-65535
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '-5' as a tcp port
= 1
$ add p 5-
2> ipset v7.17: Syntax error: '5-' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '5-' as a tcp port
= 1
$ add p [http]
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add p [http]-[85]
2> ipset v7.17: Syntax error: '[85]' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '[85]' as a tcp port
= 1
$ add p http-85
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ list p
1> Name: p
1> Type: bitmap:port
1> Revision: 3
1> Header: range 1-100
1> Size in memory: 88
1> References: 0
1> Number of entries: 13
1> Members:
1> 16
1> 53
1> 8
1> 80
1> 81
1> 82
1> 83
1> 84
1> 85
1> 87
1> 88
1> 89
1> 90
$ test p 80
2> Warning: 80 is in set p.
$ test p 80-81
2> ipset v7.17: FROM-TO port range is not allowed in command test with set type bitmap:port and family unspec
= 1
$ test p 20
2> 20 is NOT in set p.
= 1
$ test p 200
2> 200 is NOT in set p.
= 1
$ del p 80
$ del p 80
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ del p 80-90
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ create p2 bitmap:port range 0-65535
$ list -t p2
1> Name: p2
1> Type: bitmap:port
1> Revision: 3
1> Header: range 0-65535
1> Size in memory: 8264
1> References: 0
1> Number of entries: 0
$ create p3 bitmap:port range 100-1
$ list -t p3
1> Name: p3
1> Type: bitmap:port
1> Revision: 3
1> Header: range 1-100
1> Size in memory: 88
1> References: 0
1> Number of entries: 0
$ create p4 bitmap:port range 80
2> ipset v7.17: Mandatory option `to' is missing
2> Try `ipset help' for more information.
= 2
$ create p5 bitmap:port range http-https
$ list -t p5
1> Name: p5
1> Type: bitmap:port
1> Revision: 3
1> Header: range 80-443
1> Size in memory: 120
1> References: 0
1> Number of entries: 0
$ create p6 bitmap:port range tcp:1-10
$ create p7 bitmap:port range 1-70000
2> ipset v7.17: Syntax error: '70000' is out of range 0-65535
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '70000' as a tcp port
= 1
$ create p8 bitmap:port
2> ipset v7.17: Mandatory option `range' is missing
2> Try `ipset help' for more information.
= 2
$ create p9 bitmap:port range tcp:5-udp:6
2> ipset v7.17: Syntax error: 'udp:6' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse 'udp:6' as a tcp port
= 1
$ create p9 bitmap:port range udp:domain-100
$ create p10 bitmap:port range 5-6-7
2> ipset v7.17: Syntax error: '6-7' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '6-7' as a tcp port
= 1
$ create p11 bitmap:port range 1-10 timeout 0 counters comment skbinfo
$ add p11 5
$ add p11 6 timeout 100 packets 4 bytes 6 comment foo skbmark 0x5 skbprio 1:2 skbqueue 3
$ add p11 6
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ -exist add p11 6
$ list p11
1> Name: p11
1> Type: bitmap:port
1> Revision: 3
1> Header: range 1-10 timeout 0 counters comment skbinfo
1> Size in memory: 560
1> References: 0
1> Number of entries: 2
1> Members:
1> 5 timeout 0 packets 0 bytes 0
1> 6 timeout 0 packets 4 bytes 6
$ save p11
1> add p11 5 timeout 0 packets 0 bytes 0
1> add p11 6 timeout 0 packets 4 bytes 6
1> create p11 bitmap:port range 1-10 timeout 0 counters comment skbinfo
$ list p11 -o xml
1> <ipsets>
1> <ipset name="p11">
1> <type>bitmap:port</type>
1> <revision>3</revision>
1> <header><range>1-10</range><timeout>0</timeout><counters/><comment/><skbinfo/>
1> <memsize>560</memsize>
1> <references>0</references>
1> <numentries>2</numentries>
1> </header>
1> <members>
1> <member><elem>5</elem><timeout>0</timeout><packets>0</packets><bytes>0</bytes></member>
1> <member><elem>6</elem><timeout>0</timeout><packets>4</packets><bytes>6</bytes></member>
1> </members>
1> </ipset>
1> </ipsets>
$ flush p11
$ list p11
1> Name: p11
1> Type: bitmap:port
1> Revision: 3
1> Header: range 1-10 timeout 0 counters comment skbinfo
1> Size in memory: 560
1> References: 0
1> Number of entries: 0
1> Members:
$ add m 10.0.0.1/32,0:0:0:0:0:1
2> ipset v7.17: IP/CIDR range is not allowed in command add with set type bitmap:ip,mac and family inet
= 1
$ add m 10.0.0.2/31,0:0:0:0:0:1
2> ipset v7.17: Syntax error: plain IP address must be supplied: 10.0.0.2/31
= 1
$ add m 10.0.0.1-10.0.0.1,0:0:0:0:0:1
2> ipset v7.17: Syntax error: plain IP address must be supplied: 10.0.0.1-10.0.0.1
= 1
$ test m 10.0.0.1/32
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type bitmap:ip,mac and family inet
= 1
