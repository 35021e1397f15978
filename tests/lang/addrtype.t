:INPUT,FORWARD,OUTPUT
*filter
-m addrtype --dst-type LOCAL;=;OK
-m addrtype ! --src-type LOCAL -j DROP;=;OK
:INPUT
-m addrtype --src-type LOCAL,UNICAST ! --dst-type BROADCAST;-m addrtype --src-type UNICAST,LOCAL ! --dst-type BROADCAST;OK
-m addrtype ! --dst-type MULTICAST ! --src-type ANYCAST;-m addrtype ! --src-type ANYCAST ! --dst-type MULTICAST;OK
-m addrtype --src-type UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT,THROW,NAT,XRESOLVE;=;OK
-m addrtype --src-type XRESOLVE,NAT,THROW,XRESOLVE;-m addrtype --src-type THROW,NAT,XRESOLVE;OK
# Names are taken in small letters, and cut short: the first one that begins so.
-m addrtype --src-type local;-m addrtype --src-type LOCAL;OK
-m addrtype --src-type LOC;-m addrtype --src-type LOCAL;OK
-m addrtype --src-type U;-m addrtype --src-type UNSPEC;OK
-m addrtype --src-type un,uni,x,b,bl,a,m,unr,p,t,n;-m addrtype --src-type UNSPEC,UNICAST,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT,THROW,NAT,XRESOLVE;OK
-m addrtype --src-type FOO;2;FAIL
-m addrtype --src-type LOCALS;2;FAIL
-m addrtype --src-type "";2;FAIL
-m addrtype --src-type LOCAL,;2;FAIL
-m addrtype --src-type ,LOCAL;2;FAIL
-m addrtype --src-type B,,X;2;FAIL
-m addrtype --src-type é;2;FAIL
-m addrtype --src-type;2;FAIL
-m addrtype;2;FAIL
-m addrtype --limit-iface-in;2;FAIL
-m addrtype --src-type LOCAL --src-type LOCAL;2;FAIL
-m addrtype --dst-type LOCAL ! --dst-type LOCAL;2;FAIL
-m addrtype --src-type LOCAL ! --limit-iface-in;2;FAIL
-m addrtype --src-type LOCAL --limit-iface-in --limit-iface-in;2;FAIL
-m addrtype --src-type LOCAL --limit-iface-out --limit-iface-in;2;FAIL
# Limits to an interface, where packets have one.
-m addrtype --src-type NAT --limit-iface-in;=;OK
-m addrtype --src-type LOCAL --limit-iface-out;1;FAIL
:OUTPUT
-m addrtype --src-type LOCAL --limit-iface-in;1;FAIL
-m addrtype --src-type LOCAL --limit-iface-out -j ACCEPT;=;OK
:FORWARD
-m addrtype ! --src-type LOCAL --limit-iface-in;=;OK
-m addrtype --limit-iface-out ! --src-type LOCAL;-m addrtype ! --src-type LOCAL --limit-iface-out;OK
*nat
:PREROUTING,INPUT
-m addrtype ! --src-type LOCAL --limit-iface-in;=;OK
-m addrtype ! --src-type LOCAL --limit-iface-out;1;FAIL
:PREROUTING
-m addrtype --dst-type LOCAL -j RETURN;=;OK
:POSTROUTING,OUTPUT
-m addrtype ! --src-type LOCAL --limit-iface-in;1;FAIL
-m addrtype ! --src-type LOCAL --limit-iface-out;=;OK
%ip6tables
*filter
:INPUT
-m addrtype --dst-type UNSPEC,UNICAST,LOCAL,ANYCAST,MULTICAST,UNREACHABLE;=;OK
-m addrtype --dst-type UNICAST ! --src-type LOCAL --limit-iface-in;-m addrtype ! --src-type LOCAL --dst-type UNICAST --limit-iface-in;OK
-m addrtype --dst-type UNICAST ! --src-type LOCAL --limit-iface-out;1;FAIL
# Types that IPv6 does not have.
-m addrtype --dst-type BROADCAST;1;FAIL
-m addrtype --dst-type UNICAST ! --src-type BROADCAST;1;FAIL
-m addrtype --dst-type BLACKHOLE;1;FAIL
-m addrtype --dst-type LOCAL,PROHIBIT;1;FAIL
-m addrtype --src-type THROW;1;FAIL
-m addrtype --src-type NAT;1;FAIL
-m addrtype --src-type XRESOLVE;1;FAIL
