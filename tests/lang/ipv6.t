%ip6tables
:INPUT
*filter
-s 2001:db8::1 -j ACCEPT;-s 2001:db8::1/128 -j ACCEPT;OK
-s 2001:db8::/32 -d fe80::1/ffff:ffff:: -j REJECT;-s 2001:db8::/32 -d fe80::/32 -j REJECT --reject-with icmp6-port-unreachable;OK
-s 2001:db8::1/ffff::ffff -j DROP;-s 2001::1/ffff::ffff -j DROP;OK
-p tcp -j REJECT --reject-with tcp-reset;=;OK
-p tcp --dport 80 -j ACCEPT;-p tcp -m tcp --dport 80 -j ACCEPT;OK
-s 1.2.3.4;2;FAIL
-f;2;FAIL
-4;2;FAIL
-6;;OK
-p icmp;=;OK
-p icmpv6 -j DROP;-p ipv6-icmp -j DROP;OK
-s 2001:db8::/129;2;FAIL
-s ::/0;;OK
! -s ::/0;=;OK
-s ::1,::2;-s ::1/128 && -s ::2/128;OK
-j TTL --ttl-set 5;2;FAIL
-m icmp --icmp-type 8;2;FAIL
-j REJECT --reject-with no-route;-j REJECT --reject-with icmp6-no-route;OK
-j REJECT --reject-with adm-prohibited;-j REJECT --reject-with icmp6-adm-prohibited;OK
-j REJECT --reject-with icmp6-addr-unreachable;=;OK
-j REJECT --reject-with policy-fail;-j REJECT --reject-with icmp6-policy-fail;OK
-j REJECT --reject-with icmp6-reject-route;=;OK
-j REJECT --reject-with icmp6;-j REJECT --reject-with icmp6-no-route;OK
-j REJECT --reject-with icmp-net-unreachable;2;FAIL
-m conntrack --ctorigsrc 2001:db8::/32 --ctrepldst ::1 ! --ctreplsrc ::/0;-m conntrack --ctorigsrc 2001:db8::/32 ! --ctreplsrc ::/0 --ctrepldst ::1;OK
:FORWARD
-i eth0 -p 41;-i eth0 -p ipv6;OK
-p 0;;OK
-p mh;-p mobility-header;OK
-p ipv6-route;=;OK
-p 44;-p ipv6-frag;OK
:POSTROUTING
*nat
-j SNAT --to-source 2001:db8::1;=;OK
-p tcp -j SNAT --to-source [2001:db8::1]:80-90;=;OK
-p tcp -j SNAT --to-source [2001:db8::1-2001:db8::5]:80;=;OK
-j MASQUERADE;=;OK
:PREROUTING
-p tcp -j DNAT --to-destination [2001:db8::1]:80-90/100;=;OK
-j DNAT --to-destination 2001:db8::1-2001:db8::2;=;OK
-p tcp -j DNAT --to-destination :80;=;OK
-p tcp -j DNAT --to-destination [::1;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4;2;FAIL
-p tcp -j DNAT --to-destination [::1];-p tcp -j DNAT --to-destination ::1;OK
-j DNAT --to-destination [::1]:80;2;FAIL
:PREROUTING
*nat
-p ipv6-icmp -j DNAT --to-destination [2001:db8::1]:5-6;2;FAIL
-p ipv6-icmp -j REDIRECT --to-ports 5-6;2;FAIL
-p icmp -j DNAT --to-destination [2001:db8::1]:5-6;=;OK
:INPUT
*filter
# The C library writes these as it does.
-s ::1:2;-s ::0.1.0.2/128;OK
-s ::1.2.3.4/112;-s ::1.2.0.0/112;OK
-s ::5;-s ::5/128;OK
-s ::ffff;-s ::ffff/128;OK
-s ::1:0;-s ::0.1.0.0/128;OK
! -d ::ffff:1.2.3.4;! -d ::ffff:1.2.3.4/128;OK
-s ::1:2/::ffff:0:ffff;-s ::2/::ffff:0.0.255.255;OK
-m conntrack --ctorigsrc ::1:2 --ctrepldst ::1:0/96;-m conntrack --ctorigsrc ::0.1.0.2 --ctrepldst ::0.1.0.0/96;OK
-m conntrack --ctorigsrc 1.2.3.4;2;FAIL
