:INPUT,FORWARD
*filter
-m pkttype --pkt-type unicast;=;OK
-m pkttype ! --pkt-type BROADCAST;-m pkttype ! --pkt-type broadcast;OK
-m pkttype --pkt-type multicast;=;OK
-m pkttype --pkt-type otherhost;=;OK
-m pkttype --pkt-type host;-m pkttype --pkt-type unicast;OK
-m pkttype --pkt-type outgoing;2;FAIL
-m pkttype --pkt-type loopback;2;FAIL
-m pkttype --pkt-type bcast;-m pkttype --pkt-type broadcast;OK
-m pkttype --pkt-type mcast;-m pkttype --pkt-type multicast;OK
-m pkttype --pkt-type uni;2;FAIL
-m pkttype --pkt-type 1;2;FAIL
-m pkttype --pkt-type "";2;FAIL
-m pkttype;2;FAIL
-m pkttype --pkt-type unicast --pkt-type multicast;2;FAIL
:PREROUTING
*raw
-m pkttype --pkt-type host;-m pkttype --pkt-type unicast;OK
%ip6tables
:OUTPUT
*filter
-m pkttype --pkt-type multicast -j DROP;=;OK
-m pkttype --pkt-type group;2;FAIL
