:INPUT
*filter
-m recent --set;2;FAIL
-m addrtype --dst-type LOCAL;2;FAIL
-p sctp --dport 5;2;FAIL
-j QUEUE;2;FAIL
-j NFQUEUE --queue-num 1;2;FAIL
-i "a b";2;FAIL
# The real one takes these three and cuts the number down to what fits.
-p udp --dport 70000;2;FAIL
-m conntrack --ctorigsrcport 70000;2;FAIL
-m conntrack --ctorigsrc 1.2.3.4/33;2;FAIL
*mangle
-j CONNMARK --set-mark 1 --left-shift-mark 3;2;FAIL
-j CONNMARK --save-mark --right-shift-mark 3;2;FAIL
:PREROUTING
*raw
-j TRACE;2;FAIL
:POSTROUTING
*nat
-p tcp -j SNAT --to-source 1.2.3.4:80-90/100;2;FAIL
# The real one takes these two for the one host.
-j NETMAP --to 10.0.0.0/33;2;FAIL
-j NETMAP --to 10.0.0.0/255.0.255.0;2;FAIL
:INPUT
*filter
# The real one cuts these two to 16 and 8 bits.
-p tcp -j SYNPROXY --mss 65536;2;FAIL
-p tcp -j SYNPROXY --wscale 256;2;FAIL
