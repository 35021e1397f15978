# hash:net and hash:net,iface.
$ create n hash:net
$ add n 10.0.0.0/8
$ add n 10.1.2.3/8
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add n 10.1.0.0/16 nomatch
$ add n 10.1.1.1
$ add n 0.0.0.0/0
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add n 0.0.0.0/1
$ add n 1.2.3.4/32
$ add n 10.5.0.0-10.5.3.9
$ add n 10.5.9.9-10.5.9.3
$ list -t n
1> Name: n
1> Type: hash:net
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 12
$ save n -s
1> create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add n 0.0.0.0/1
1> add n 1.2.3.4
1> add n 10.0.0.0/8
1> add n 10.1.0.0/16 nomatch
1> add n 10.1.1.1
1> add n 10.5.0.0/23
1> add n 10.5.2.0/24
1> add n 10.5.3.0/29
1> add n 10.5.3.8/31
1> add n 10.5.9.3
1> add n 10.5.9.4/30
1> add n 10.5.9.8/31
$ test n 10.2.3.4
2> Warning: 10.2.3.4 is in set n.
$ test n 10.1.3.4
2> 10.1.3.4 is NOT in set n.
= 1
$ test n 10.1.3.4 nomatch
2> Warning: 10.1.3.4 is in set n.
$ test n 10.2.3.4 nomatch
2> 10.2.3.4 is NOT in set n.
= 1
$ test n 10.1.0.0/16
2> 10.1.0.0/16 is NOT in set n.
= 1
$ test n 10.1.0.0/16 nomatch
2> Warning: 10.1.0.0/16 is in set n.
$ test n 10.1.1.1
2> Warning: 10.1.1.1 is in set n.
$ test n 10.0.0.0/8
2> Warning: 10.0.0.0/8 is in set n.
$ test n 10.0.0.0/9
2> 10.0.0.0/9 is NOT in set n.
= 1
$ test n 10.5.0.0-10.5.3.9
2> ipset v7.17: FROM-TO IP range is not allowed in command test with set type hash:net and family inet
= 1
$ test n 200.0.0.1
2> 200.0.0.1 is NOT in set n.
= 1
$ test n 0.0.0.0/0
2> 0.0.0.0/0 is NOT in set n.
= 1
$ -exist add n 10.1.0.0/16
$ test n 10.1.3.4
2> Warning: 10.1.3.4 is in set n.
$ save n -s
1> create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add n 0.0.0.0/1
1> add n 1.2.3.4
1> add n 10.0.0.0/8
1> add n 10.1.0.0/16
1> add n 10.1.1.1
1> add n 10.5.0.0/23
1> add n 10.5.2.0/24
1> add n 10.5.3.0/29
1> add n 10.5.3.8/31
1> add n 10.5.9.3
1> add n 10.5.9.4/30
1> add n 10.5.9.8/31
$ -exist add n 10.1.0.0/16 nomatch
$ save n -s
1> create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add n 0.0.0.0/1
1> add n 1.2.3.4
1> add n 10.0.0.0/8
1> add n 10.1.0.0/16 nomatch
1> add n 10.1.1.1
1> add n 10.5.0.0/23
1> add n 10.5.2.0/24
1> add n 10.5.3.0/29
1> add n 10.5.3.8/31
1> add n 10.5.9.3
1> add n 10.5.9.4/30
1> add n 10.5.9.8/31
$ del n 10.1.0.0/16
$ del n 10.1.0.0/16
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ del n 10.5.0.0-10.5.3.9
$ del n 1.2.3.4 nomatch
2> ipset v7.17: Unknown argument: `nomatch'
2> Try `ipset help' for more information.
= 2
$ save n -s
1> create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add n 0.0.0.0/1
1> add n 1.2.3.4
1> add n 10.0.0.0/8
1> add n 10.1.1.1
1> add n 10.5.9.3
1> add n 10.5.9.4/30
1> add n 10.5.9.8/31
$ add n 1.2.3
$ add n 1.2.3/24
$ add n 1.2.3.4/255.255.255.0
2> ipset v7.17: Syntax error: '255.255.255.0' is invalid as number
= 1
$ add n 1.2.3.4/x
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ add n x/33
2> ipset v7.17: Syntax error: '33' is out of range 0-32
= 1
$ add n 1.2.3.4-x
2> ipset v7.17: Syntax error: cannot parse x: resolving to IPv4 address failed
= 1
$ add n [1.2.3.9]
$ add n [1.2.3.9
2> ipset v7.17: Syntax error: cannot find closing escape character ']' in [1.2.3.9
= 1
$ add n 1.2.3.4/
2> ipset v7.17: Syntax error: cannot parse 1.2.3.4/: resolving to IPv4 address failed
= 1
$ add n /24
2> ipset v7.17: Syntax error: cannot parse /24: resolving to IPv4 address failed
= 1
$ add n ''
2> ipset v7.17: Syntax error: cannot parse : resolving to IPv4 address failed
= 1
$ add n 0.0.0.0-255.255.255.255
2> ipset v7.17: Invalid range, covers the whole address space
= 1
$ add n 255.255.255.0-255.255.255.255
$ save n -s
1> create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add n 0.0.0.0/1
1> add n 1.2.0.0/24
1> add n 1.2.0.3
1> add n 1.2.3.4
1> add n 1.2.3.9
1> add n 10.0.0.0/8
1> add n 10.1.1.1
1> add n 10.5.9.3
1> add n 10.5.9.4/30
1> add n 10.5.9.8/31
1> add n 255.255.255.0/24
$ create n6 hash:net family inet6
$ add n6 1::/64
$ add n6 1::5
$ add n6 ::/0
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add n6 2::-3::
2> ipset v7.17: Syntax error: IP address or IP/cidr must be specified: 2::-3::
= 1
$ add n6 fe80::1/10
$ test n6 1::7
2> Warning: 1::7 is in set n6.
$ test n6 1::5
2> Warning: 1::5 is in set n6.
$ test n6 2::5
2> 2::5 is NOT in set n6.
= 1
$ save n6 -s
1> create n6 hash:net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add n6 1::5
1> add n6 1::/64
1> add n6 fe80::/10
$ list -t n6
1> Name: n6
1> Type: hash:net
1> Revision: 7
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 3
$ create f hash:net,iface
$ add f 10.0.0.0/8,eth0
$ add f 0.0.0.0/0,eth1
$ add f 10.0.0.0/8,physdev:eth0
$ add f 10.0.0.0/8,aaaaaaaaaaaaaaaa
2> ipset v7.17: Syntax error: interface name 'aaaaaaaaaaaaaaaa' is longer than 15 characters
= 1
$ add f 10.0.0.0/8,aaaaaaaaaaaaaaa
$ add f 10.0.0.0/8,eth wildcard
$ add f 10.0.0.0/8,eth7
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ -exist add f 10.0.0.0/8,eth wildcard
$ add f 10.0.0.0/8,
2> ipset v7.17: Syntax error: Second element is missing from 10.0.0.0/8,.
= 1
$ add f 10.0.0.0/8
2> ipset v7.17: Syntax error: Second element is missing from 10.0.0.0/8.
= 1
$ add f 10.0.0.0/8,eth0,eth1
2> ipset v7.17: Syntax error: Two elem separators in 10.0.0.0/8,eth0,eth1, but settype hash:net,iface supports one.
= 1
$ add f 10.0.0.1-10.0.0.3,eth0
$ add f 10.3.0.0/16,eth0 nomatch
$ add f 10.0.0.0/8,foo:eth0
$ add f 0.0.0.0-255.255.255.255,eth0
2> ipset v7.17: Invalid range, covers the whole address space
= 1
$ save f
1> add f 0.0.0.0/0,eth1
1> add f 10.0.0.0/8,aaaaaaaaaaaaaaa
1> add f 10.0.0.0/8,eth wildcard
1> add f 10.0.0.0/8,eth0
1> add f 10.0.0.0/8,foo:eth0
1> add f 10.0.0.0/8,physdev:eth0
1> add f 10.0.0.1,eth0
1> add f 10.0.0.2/31,eth0
1> add f 10.3.0.0/16,eth0 nomatch
1> create f hash:net,iface family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ list f -o xml
1> <ipsets>
1> <ipset name="f">
1> <type>hash:net,iface</type>
1> <revision>8</revision>
1> <header><family>inet</family><hashsize>1024</hashsize><maxelem>65536</maxelem><bucketsize>12</bucketsize><initval>0x?</initval>
1> <memsize></memsize>
1> <references>0</references>
1> <numentries>9</numentries>
1> </header>
1> <members>
1> <member><elem>0.0.0.0/0,eth1</elem></member>
1> <member><elem>10.0.0.0/8,aaaaaaaaaaaaaaa</elem></member>
1> <member><elem>10.0.0.0/8,eth0</elem></member>
1> <member><elem>10.0.0.0/8,eth</elem><wildcard/></member>
1> <member><elem>10.0.0.0/8,foo:eth0</elem></member>
1> <member><elem>10.0.0.0/8,physdev:eth0</elem></member>
1> <member><elem>10.0.0.1,eth0</elem></member>
1> <member><elem>10.0.0.2/31,eth0</elem></member>
1> <member><elem>10.3.0.0/16,eth0</elem><nomatch/></member>
1> </members>
1> </ipset>
1> </ipsets>
$ test f 10.0.0.1,eth0
2> Warning: 10.0.0.1,eth0 is in set f.
$ test f 10.0.0.9,eth0
2> Warning: 10.0.0.9,eth0 is in set f.
$ test f 10.3.0.9,eth0
2> 10.3.0.9,eth0 is NOT in set f.
= 1
$ test f 10.0.0.9,eth9
2> Warning: 10.0.0.9,eth9 is in set f.
$ test f 10.0.0.9,physdev:eth0
2> Warning: 10.0.0.9,eth0 is in set f.
$ test f 10.0.0.9,physdev:eth1
2> 10.0.0.9,eth1 is NOT in set f.
= 1
$ test f 10.3.0.0/16,eth0
2> 10.3.0.0/16,eth0 is NOT in set f.
= 1
$ test f 10.3.0.0/16,eth0 nomatch
2> Warning: 10.3.0.0/16,eth0 is in set f.
$ test f 10.0.0.0/8-10.0.0.9,eth0
2> ipset v7.17: Syntax error: '8-10.0.0.9' is invalid as number
= 1
$ test f 10.0.0.0-10.0.0.9,eth0
2> ipset v7.17: FROM-TO IP range is not allowed in command test with set type hash:net,iface and family inet
= 1
$ del f 10.0.0.0/8,eth9
$ save f
1> add f 0.0.0.0/0,eth1
1> add f 10.0.0.0/8,aaaaaaaaaaaaaaa
1> add f 10.0.0.0/8,eth0
1> add f 10.0.0.0/8,foo:eth0
1> add f 10.0.0.0/8,physdev:eth0
1> add f 10.0.0.1,eth0
1> add f 10.0.0.2/31,eth0
1> add f 10.3.0.0/16,eth0 nomatch
1> create f hash:net,iface family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ create f6 hash:net,iface family inet6
$ add f6 1::/64,eth0
$ add f6 ::/0,eth0
$ save f6 -s
1> create f6 hash:net,iface family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add f6 ::/0,eth0
1> add f6 1::/64,eth0
# What is found stays the element that it is: the beginning of names, or one name.
$ create w hash:net,iface
$ add w 10.0.0.0/8,eth wildcard
$ add w 10.0.0.0/8,eth0
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ -exist add w 10.0.0.0/8,eth0 nomatch
$ add w 10.1.0.0/16,eth0
$ -exist add w 10.1.0.0/16,eth0 wildcard
$ -sorted save w
1> create w hash:net,iface family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add w 10.0.0.0/8,eth nomatch wildcard
1> add w 10.1.0.0/16,eth0
