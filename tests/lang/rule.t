:INPUT
*filter
--dport 5;2;FAIL
! -c 1 2;2;FAIL
! -g foo;2;FAIL
! -w;;OK
*nat
!;2;FAIL
:PREROUTING
-j ACCEPT;=;OK
-j DROP;2;FAIL
:INPUT
*filter
-p esp -j ACCEPT;=;OK
-j ACCEPT -p 137;-p mpls-in-ip -j ACCEPT;OK
;=;OK
-j nope;2;FAIL
-g nope;2;FAIL
-g ACCEPT;2;FAIL
-j INPUT;1;FAIL
-g FORWARD;1;FAIL
-j ACCEPT -j DROP;2;FAIL
-j ACCEPT --foo;2;FAIL
--foo;2;FAIL
foo;2;FAIL
-j;2;FAIL
-j "";2;FAIL
-s 1.2.3.4 -s 5.6.7.8;2;FAIL
-s 1.2.3.4,5.6.7.8/24;-s 1.2.3.4/32 && -s 5.6.7.0/24;OK
-s 1.2.3.4,5.6.7.8/24 -d 9.9.9.9,8.8.8.8;-s 1.2.3.4/32 -d 9.9.9.9/32 && -s 1.2.3.4/32 -d 8.8.8.8/32 && -s 5.6.7.0/24 -d 9.9.9.9/32 && -s 5.6.7.0/24 -d 8.8.8.8/32;OK
! -s 1.2.3.4,5.6.7.8/24;2;FAIL
-s 1.2.3.4/33;2;FAIL
-s 1.2.3.4/-1;2;FAIL
-s 1.2.3/24;-s 1.2.3.0/24;OK
-s 10/8;-s 10.0.0.0/8;OK
-s 1.2.3.4/255.255.255.0;-s 1.2.3.0/24;OK
-s 1.2.3.4/0.0.0.255;-s 0.0.0.4/0.0.0.255;OK
-s 1.2.3.4/255.255.0.255;-s 1.2.0.4/255.255.0.255;OK
-s 1.2.3.4/foo;2;FAIL
-s 0/0;;OK
! -s 0/0;! -s 0.0.0.0/0;OK
-s 0.0.0.0/0;;OK
-s 300.1.1.1;2;FAIL
-s ::1;2;FAIL
-s "";2;FAIL
-s no.such.host.invalid;2;FAIL
-s ! 1.2.3.4;2;FAIL
! ! -s 1.2.3.4;2;FAIL
!;2;FAIL
! -j ACCEPT;2;FAIL
-s 1.2.3.4,;2;FAIL
-s "1.2.3.4, 5.6.7.8";-s 1.2.3.4/32 && -s 5.6.7.8/32;OK
-i eth0 -i eth1;2;FAIL
-o eth0;2;FAIL
:OUTPUT
-i eth0;2;FAIL
:FORWARD
-i eth0 -o eth1;=;OK
:PREROUTING
*nat
-o eth0;2;FAIL
:POSTROUTING
-i eth0;2;FAIL
:INPUT
*filter
! -i +;;OK
-i "";2;FAIL
-i 0123456789012345;2;FAIL
-i 012345678901234;=;OK
-i 01234567890123+;=;OK
-i 012345678901234+;2;FAIL
-i a/b;=;OK
-i a+b;=;OK
-i !eth0;=;OK
-p foo;2;FAIL
-p 300;2;FAIL
-p 255;=;OK
-p 0;;OK
-p all;;OK
! -p all;2;FAIL
-p TCP;-p tcp;OK
-p ipv6-icmp;=;OK
-p icmpv6;-p ipv6-icmp;OK
-p gre;=;OK
-p esp;=;OK
-p 200;=;OK
-p 0x6;-p tcp;OK
-p 06;-p tcp;OK
-p mh;-p mobility-header;OK
-p hopopt;;OK
-p ip;;OK
-f;=;OK
! -f;=;OK
-f -f;2;FAIL
-4;;OK
-6;2;FAIL
-c 5 6 -j ACCEPT;-j ACCEPT;OK
-c 5,6 -j ACCEPT;-j ACCEPT;OK
-c 5;2;FAIL
-c x y;2;FAIL
--set-counters 5 6;;OK
-w -j ACCEPT;-j ACCEPT;OK
-w 5 -j ACCEPT;-j ACCEPT;OK
-w -W 1000 -j ACCEPT;-j ACCEPT;OK
--jump ACCEPT --source 1.1.1.1 --destination 2.2.2.2 --in-interface eth0 --protocol tcp;-s 1.1.1.1/32 -d 2.2.2.2/32 -i eth0 -p tcp -j ACCEPT;OK
--proto tcp;-p tcp;OK
--src 1.1.1.1 --dst 2.2.2.2 --in eth0;2;FAIL
--prot tcp --match tcp --dpo 80;-p tcp -m tcp --dport 80;OK
--s 1.1.1.1;2;FAIL
--goto ACCEPT;2;FAIL
--fragments;-f;OK
--line-numbers;2;FAIL
-n;2;FAIL
-x;2;FAIL
*nat
;=;OK
*filter
-jACCEPT;2;FAIL
--jump=ACCEPT;2;FAIL
-s=1.1.1.1;2;FAIL
-m;2;FAIL
-mtcp -ptcp;2;FAIL
:FORWARD
*filter
-p tcp -s 10.0.0.0/8 ! -d 10.1.0.0/16 -i eth0 ! -o eth+ -f -j RETURN;-s 10.0.0.0/8 ! -d 10.1.0.0/16 -i eth0 ! -o eth+ -p tcp -f -j RETURN;OK
-m mark --mark 1 -p udp -m mark ! --mark 2 --dport 53 -j ACCEPT;-p udp -m mark --mark 0x1 -m mark ! --mark 0x2 -m udp --dport 53 -j ACCEPT;OK
-j MARK --set-mark 1 -m mark --mark 3;-m mark --mark 0x3 -j MARK --set-xmark 0x1/0xffffffff;OK
-s 1.2.3.4/32 -d 1.2.3.4/0;-s 1.2.3.4/32;OK
-s 010.1.1.1;-s 8.1.1.1/32;OK
-s 1.2.3.256;2;FAIL
-s 1..2;2;FAIL
-s 1.2.3.4/1.2.3;2;FAIL
-s 1.2.3.4/24/8;2;FAIL
-s 1.2.3.4 ! -s 5.6.7.8;2;FAIL
-p "";2;FAIL
-p -1;2;FAIL
-p tcp,udp;2;FAIL
-i eth0.100+;=;OK
-i br-1234567890ab;=;OK
