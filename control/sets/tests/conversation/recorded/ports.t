# hash:ip,port, hash:ip,port,ip, hash:ip,port,net and hash:net,port.
$ create ip hash:ip,port
$ add ip 1.1.1.1,80
$ add ip 1.1.1.1,udp:80
$ add ip 1.1.1.1,http
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,udp:domain
$ add ip 1.1.1.1,icmp:8/0
$ add ip 1.1.1.1,icmp:echo-request
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,icmp:ping
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,icmp:foo
2> ipset v7.17: Cannot parse foo as an ICMP type/code.
= 1
$ add ip 1.1.1.1,icmp:8
2> ipset v7.17: Cannot parse 8 as an ICMP type/code.
= 1
$ add ip 1.1.1.1,icmp:256/0
2> ipset v7.17: Syntax error: '256' is out of range 0-255
= 1
$ add ip 1.1.1.1,icmp:0
2> ipset v7.17: Cannot parse 0 as an ICMP type/code.
= 1
$ add ip 1.1.1.1,icmp:13/0
$ add ip 1.1.1.1,icmp:200/7
$ add ip 1.1.1.1,icmp:echo-req
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,icmp:PING
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,icmp:[ping]
2> ipset v7.17: Cannot parse [ping] as an ICMP type/code.
= 1
$ add ip 1.1.1.1,icmp:8/0-9/0
2> ipset v7.17: Syntax error: '0-9/0' is invalid as number
= 1
$ add ip 1.1.1.1,icmp:8/
2> ipset v7.17: Cannot parse 8/ as an ICMP type/code.
= 1
$ add ip 1.1.1.1,icmp:/0
2> ipset v7.17: Cannot parse /0 as an ICMP type/code.
= 1
$ add ip 1.1.1.1,icmp:x/0
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ add ip 1.1.1.1,icmp:8/x
2> ipset v7.17: Syntax error: 'x' is invalid as number
= 1
$ add ip 1.1.1.1,icmpv6:128/0
2> ipset v7.17: Syntax error: Protocol ICMPv6 can be used with family inet6 only
2> Invalid add command: missing setname
= 1
$ add ip 1.1.1.1,gre:0
$ add ip 1.1.1.1,gre:5
2> ipset v7.17: Syntax error: Protocol gre can be used with pseudo port value 0 only.
= 1
$ add ip 1.1.1.1,47:0
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,6:90
$ add ip 1.1.1.1,0:90
2> ipset v7.17: Syntax error: Protocol 0 can be used with pseudo port value 0 only.
= 1
$ add ip 1.1.1.1,0:0
2> ipset v7.17: Invalid protocol specified
= 1
$ add ip 1.1.1.1,253:0
$ add ip 1.1.1.1,300:0
2> ipset v7.17: Syntax error: cannot parse '300' as a protocol
= 1
$ add ip 1.1.1.1,foo:0
2> ipset v7.17: Syntax error: cannot parse 'foo' as a protocol
= 1
$ add ip 1.1.1.1,ip:0
2> ipset v7.17: Syntax error: Unsupported protocol 'ip'
= 1
$ add ip 1.1.1.1,hopopt:0
2> ipset v7.17: Syntax error: Unsupported protocol 'hopopt'
= 1
$ add ip 1.1.1.1,all:0
2> ipset v7.17: Syntax error: cannot parse 'all' as a protocol
= 1
$ add ip 1.1.1.1,sctp:100
$ add ip 1.1.1.1,udplite:100
$ add ip 1.1.1.1,132:http
2> ipset v7.17: Syntax error: 'http' is invalid as number
2> cannot parse 'http' as a 132 port
= 1
$ add ip 1.1.1.1,sctp:http
2> ipset v7.17: Syntax error: 'http' is invalid as number
2> Syntax error: 'sctp' is invalid as number
2> cannot parse 'http' as a sctp port
= 1
$ add ip 1.1.1.1,udp:syslog
$ add ip 1.1.1.1,tcp:0
$ add ip 1.1.1.1,tcp:
2> ipset v7.17: Syntax error: 'tcp:' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse 'tcp:' as a tcp port
= 1
$ add ip 1.1.1.1,:80
2> ipset v7.17: Syntax error: ':80' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse ':80' as a tcp port
= 1
$ add ip 1.1.1.1,igmp:
2> ipset v7.17: Syntax error: 'igmp:' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse 'igmp:' as a tcp port
= 1
$ add ip 1.1.1.1,igmp:x
2> ipset v7.17: Syntax error: Protocol igmp can be used with pseudo port value 0 only.
= 1
$ add ip 1.1.1.1,80:90
2> ipset v7.17: Syntax error: Protocol 80 can be used with pseudo port value 0 only.
= 1
$ add ip 1.1.1.1,1000-1003
$ add ip 1.1.1.1,udp:1000-1003
$ add ip 1.1.1.1,udp:1003-1000
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1,80-70-60
2> ipset v7.17: Syntax error: '70-60' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '70-60' as a tcp port
= 1
$ add ip 1.1.1.1,tcp:81-http
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.0/30,5
$ add ip 2.1.1.0-2.1.1.2,tcp:5-6
$ add ip 1.1.1.1/0,5
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add ip 1.1.1.1,[ftp-data]
$ add ip 1.1.1.1,ftp-data
2> ipset v7.17: Syntax error: 'data' is invalid as number
2> Syntax error: 'tcp' is invalid as number
2> cannot parse 'data' as a tcp port
= 1
$ add ip 1.1.1.1,tcp:[ftp-data]
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 1.1.1.1
2> ipset v7.17: Syntax error: Second element is missing from 1.1.1.1.
= 1
$ add ip 1.1.1.1,
2> ipset v7.17: Syntax error: Second element is missing from 1.1.1.1,.
= 1
$ add ip 1.1.1.1,,
2> ipset v7.17: Syntax error: Second element is missing from 1.1.1.1,,.
= 1
$ add ip ,80
2> ipset v7.17: Syntax error: Second element is missing from ,80.
= 1
$ add ip 1.1.1.1,80,80
2> ipset v7.17: Syntax error: Two elem separators in 1.1.1.1,80,80, but settype hash:ip,port supports one.
= 1
$ add ip 1.1.1.1,TCP:1
$ add ip 1.1.1.1,65536
2> ipset v7.17: Syntax error: '65536' is out of range 0-65535
2> Syntax error: 'tcp' is invalid as number
2> cannot parse '65536' as a tcp port
= 1
$ add ip 1.1.1.1,0
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add ip 0.0.0.0,9
2> ipset v7.17: Kernel error received: Invalid argument
= 1
$ list ip -s
1> Name: ip
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 33
1> Members:
1> 1.1.1.0,tcp:5
1> 1.1.1.1,253:0
1> 1.1.1.1,gre:0
1> 1.1.1.1,tcp:0
1> 1.1.1.1,tcp:1
1> 1.1.1.1,tcp:5
1> 1.1.1.1,tcp:20
1> 1.1.1.1,tcp:80
1> 1.1.1.1,tcp:90
1> 1.1.1.1,tcp:1000
1> 1.1.1.1,tcp:1001
1> 1.1.1.1,tcp:1002
1> 1.1.1.1,tcp:1003
1> 1.1.1.1,udp:53
1> 1.1.1.1,udp:80
1> 1.1.1.1,udp:514
1> 1.1.1.1,udp:1000
1> 1.1.1.1,udp:1001
1> 1.1.1.1,udp:1002
1> 1.1.1.1,udp:1003
1> 1.1.1.1,icmp:echo-request
1> 1.1.1.1,icmp:200/7
1> 1.1.1.1,icmp:timestamp-request
1> 1.1.1.1,sctp:100
1> 1.1.1.1,udplite:100
1> 1.1.1.2,tcp:5
1> 1.1.1.3,tcp:5
1> 2.1.1.0,tcp:5
1> 2.1.1.0,tcp:6
1> 2.1.1.1,tcp:5
1> 2.1.1.1,tcp:6
1> 2.1.1.2,tcp:5
1> 2.1.1.2,tcp:6
$ test ip 1.1.1.1,80
2> Warning: 1.1.1.1,tcp:80 is in set ip.
$ test ip 1.1.1.1,http
2> Warning: 1.1.1.1,tcp:80 is in set ip.
$ test ip 1.1.1.1,udp:81
2> 1.1.1.1,udp:81 is NOT in set ip.
= 1
$ test ip 1.1.1.1,80-81
2> ipset v7.17: FROM-TO port range is not allowed in command test with set type hash:ip,port and family inet
= 1
$ test ip 1.1.1.0/31,80
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type hash:ip,port and family inet
= 1
$ test ip 1.1.1.0-1.1.1.1,80
2> ipset v7.17: FROM-TO IP range is not allowed in command test with set type hash:ip,port and family inet
= 1
$ test ip 1.1.1.1,icmp:ping
2> Warning: 1.1.1.1,icmp:echo-request is in set ip.
$ test ip 1.1.1.1,gre:0
2> Warning: 1.1.1.1,gre:0 is in set ip.
$ test ip 1.1.1.1,0:0
2> 1.1.1.1,ip:0 is NOT in set ip.
= 1
$ del ip 1.1.1.1,icmp:ping
$ del ip 1.1.1.1,1000-1003
$ del ip 1.1.1.1,1000-1003
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ create ip6 hash:ip,port family inet6
$ add ip6 1::1,icmpv6:128/0
$ add ip6 1::1,ipv6-icmp:echo-reply
$ add ip6 1::1,icmpv6:neighbour-solicitation
$ add ip6 1::1,icmpv6:nonsense
2> ipset v7.17: Cannot parse nonsense as an ICMPv6 type/code.
= 1
$ add ip6 1::1,icmp:8/0
2> ipset v7.17: Syntax error: Protocol ICMP can be used with family inet only
2> Invalid add command: missing setname
= 1
$ add ip6 1::/64,80
2> ipset v7.17: Syntax error: plain IP address must be supplied: 1::/64
= 1
$ add ip6 1::1,80-82
$ add ip6 [1::1],83
$ list ip6 -s
1> Name: ip6
1> Type: hash:ip,port
1> Revision: 7
1> Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 7
1> Members:
1> 1::1,tcp:80
1> 1::1,tcp:81
1> 1::1,tcp:82
1> 1::1,tcp:83
1> 1::1,ipv6-icmp:echo-reply
1> 1::1,ipv6-icmp:echo-request
1> 1::1,ipv6-icmp:neighbour-solicitation
$ create a hash:ip,port,ip
$ add a 1.1.1.1,80,2.2.2.2
$ add a 1.1.1.0/31,80,2.2.2.2
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add a 1.1.1.1,80-82,2.2.2.3
$ add a 1.1.1.1,80,2.2.2.0/24
2> ipset v7.17: Syntax error: plain IP address must be supplied: 2.2.2.0/24
= 1
$ add a 1.1.1.1,80,2.2.2.0-2.2.2.3
2> ipset v7.17: Syntax error: plain IP address must be supplied: 2.2.2.0-2.2.2.3
= 1
$ add a 1.1.1.1,80
2> ipset v7.17: Syntax error: Third element is missing from 1.1.1.1,80.
= 1
$ add a 1.1.1.1
2> ipset v7.17: Syntax error: Second element is missing from 1.1.1.1.
= 1
$ add a 1.1.1.1,80,2.2.2.2,3
2> ipset v7.17: Syntax error: Three elem separators in 1.1.1.1,80,2.2.2.2,3, but settype hash:ip,port,ip supports two.
= 1
$ add a 1.1.1.1,icmp:ping,2.2.2.2
$ add a 1.1.1.1,80,0.0.0.0
$ add a 0.0.0.0,80,1.0.0.0
$ list a -s
1> Name: a
1> Type: hash:ip,port,ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 8
1> Members:
1> 0.0.0.0,tcp:80,1.0.0.0
1> 1.1.1.0,tcp:80,2.2.2.2
1> 1.1.1.1,tcp:80,0.0.0.0
1> 1.1.1.1,tcp:80,2.2.2.2
1> 1.1.1.1,tcp:80,2.2.2.3
1> 1.1.1.1,tcp:81,2.2.2.3
1> 1.1.1.1,tcp:82,2.2.2.3
1> 1.1.1.1,icmp:echo-request,2.2.2.2
$ test a 1.1.1.1,80,2.2.2.2
2> Warning: 1.1.1.1,tcp:80,2.2.2.2 is in set a.
$ test a 1.1.1.0/31,80,2.2.2.2
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type hash:ip,port,ip and family inet
= 1
$ create b hash:ip,port,net
$ add b 1.1.1.1,80,2.2.2.2
$ add b 1.1.1.0/31,80,2.2.2.2/24
$ add b 1.1.1.1,80-82,2.2.3.0/24 nomatch
$ add b 1.1.1.1,80,2.2.2.0-2.2.2.3
$ add b 1.1.1.1,80,0.0.0.0/0
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add b 1.1.1.1,80,0.0.0.0-255.255.255.255
2> ipset v7.17: Invalid range, covers the whole address space
= 1
$ add b 1.1.1.1/32,80,3.0.0.0/8
$ add b 1.1.1.1/0,80,3.0.0.0/8
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ list -t b
1> Name: b
1> Type: hash:ip,port,net
1> Revision: 8
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 8
$ save b -s
1> create b hash:ip,port,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add b 1.1.1.0,tcp:80,2.2.2.0/24
1> add b 1.1.1.1,tcp:80,2.2.2.0/30
1> add b 1.1.1.1,tcp:80,2.2.2.0/24
1> add b 1.1.1.1,tcp:80,2.2.2.2
1> add b 1.1.1.1,tcp:80,2.2.3.0/24 nomatch
1> add b 1.1.1.1,tcp:80,3.0.0.0/8
1> add b 1.1.1.1,tcp:81,2.2.3.0/24 nomatch
1> add b 1.1.1.1,tcp:82,2.2.3.0/24 nomatch
$ test b 1.1.1.1,80,2.2.2.7
2> Warning: 1.1.1.1,tcp:80,2.2.2.7 is in set b.
$ test b 1.1.1.1,80,2.2.3.7
2> 1.1.1.1,tcp:80,2.2.3.7 is NOT in set b.
= 1
$ test b 1.1.1.1,80,2.2.3.0/24 nomatch
2> Warning: 1.1.1.1,tcp:80,2.2.3.0/24 is in set b.
$ test b 1.1.1.1,80,2.2.3.0-2.2.3.4
2> 1.1.1.1,tcp:80,2.2.3.0 is NOT in set b.
= 1
$ test b 1.1.1.1/31,80,2.2.3.0
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type hash:ip,port,net and family inet
= 1
$ create c hash:net,port
$ add c 10.0.0.0/8,80
$ add c 10.0.0.0/8,udp:80-81
$ add c 10.1.0.0-10.1.0.7,80
$ add c 10.1.0.0/16,80 nomatch
$ add c 0.0.0.0/0,80
2> ipset v7.17: The value of the CIDR parameter of the IP address is invalid
= 1
$ add c 10.0.0.1,icmp:8/0
$ save c -s
1> create c hash:net,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add c 10.0.0.0/8,tcp:80
1> add c 10.0.0.0/8,udp:80
1> add c 10.0.0.0/8,udp:81
1> add c 10.0.0.1,icmp:echo-request
1> add c 10.1.0.0/29,tcp:80
1> add c 10.1.0.0/16,tcp:80 nomatch
$ test c 10.2.2.2,80
2> Warning: 10.2.2.2,tcp:80 is in set c.
$ test c 10.1.2.2,80
2> 10.1.2.2,tcp:80 is NOT in set c.
= 1
$ test c 10.1.0.0/29,80
2> Warning: 10.1.0.0/29,tcp:80 is in set c.
$ create d hash:net,port family inet6
$ add d 1::/64,80
$ add d 1::5,80
$ test d 1::9,80
2> Warning: 1::9,tcp:80 is in set d.
$ save d -s
1> create d hash:net,port family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add d 1::5,tcp:80
1> add d 1::/64,tcp:80
$ create e hash:ip,port,net family inet6
$ add e 1::1,80,2::/64
$ add e 1::1,80,2::-3::
2> ipset v7.17: Syntax error: IP address or IP/cidr must be specified: 2::-3::
= 1
$ test e 1::1,80,2::9
2> Warning: 1::1,tcp:80,2::9 is in set e.
$ save e -s
1> create e hash:ip,port,net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add e 1::1,tcp:80,2::/64
$ create g hash:ip,port,ip family inet6
$ add g 1::1,80,2::1
$ add g 1::1,80,2::/64
2> ipset v7.17: Syntax error: plain IP address must be supplied: 2::/64
= 1
$ save g -s
1> create g hash:ip,port,ip family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add g 1::1,tcp:80,2::1
$ test a 1.1.1.1/32,80,2.2.2.2
2> ipset v7.17: IP/CIDR range is not allowed in command test with set type hash:ip,port,ip and family inet
= 1
$ test a 1.1.1.1-1.1.1.1,80,2.2.2.2
2> ipset v7.17: FROM-TO IP range is not allowed in command test with set type hash:ip,port,ip and family inet
= 1
$ test a 1.1.1.1,80-80,2.2.2.2
2> ipset v7.17: FROM-TO port range is not allowed in command test with set type hash:ip,port,ip and family inet
= 1
$ add a 1.1.1.1,80,2.2.2.2-2.2.2.2
2> ipset v7.17: Syntax error: plain IP address must be supplied: 2.2.2.2-2.2.2.2
= 1
$ add ip 1.1.1.1,[http]x
2> ipset v7.17: Syntax error: range separator expected after '[http]'
= 1
$ add ip 1.1.1.1,tcp:[http]/5
2> ipset v7.17: Syntax error: range separator expected after '[http]'
= 1
$ add ip 1.1.1.1,[http]-85
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ create y hash:net -4 foo -4
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ create y hash:net -4 timeout x -4
2> ipset v7.17: Syntax error: -4 already specified
= 1
