:INPUT,FORWARD,OUTPUT
*filter
-m iprange --src-range 1.2.3.4-5.6.7.8;=;OK
-m iprange --dst-range 1.2.3.4-5.6.7.8;=;OK
:INPUT
-m iprange --src-range 1.2.3.4;-m iprange --src-range 1.2.3.4-1.2.3.4;OK
-m iprange ! --src-range 1.2.3.4-1.2.3.4 ! --dst-range 0.0.0.0-255.255.255.255;=;OK
-m iprange --dst-range 5.6.7.8-5.6.7.9 --src-range 1.1.1.1-2.2.2.2;-m iprange --src-range 1.1.1.1-2.2.2.2 --dst-range 5.6.7.8-5.6.7.9;OK
-p tcp -m iprange ! --src-range 10.0.0.0-10.0.0.255 -m tcp --dport 22 -j DROP;=;OK
# Backwards: taken with a warning, and never true.
-m iprange --src-range 5.6.7.8-1.2.3.4;=;OK
-m iprange ! --dst-range 5.6.7.8-1.2.3.4 --src-range 9.9.9.9-1.1.1.1;-m iprange --src-range 9.9.9.9-1.1.1.1 ! --dst-range 5.6.7.8-1.2.3.4;OK
# Bytes that are left out are 0.
-m iprange --src-range 10-10.1;-m iprange --src-range 10.0.0.0-10.1.0.0;OK
-m iprange --src-range 0x7f.1-0177.2.3;-m iprange --src-range 127.1.0.0-127.2.3.0;OK
-m iprange;2;FAIL
-m iprange --src-range;2;FAIL
-m iprange --src-range "";2;FAIL
-m iprange --src-range 1.2.3.4-;2;FAIL
-m iprange --src-range -1.2.3.4;2;FAIL
-m iprange --src-range 1.2.3.4-1.2.3.4-5;2;FAIL
-m iprange --src-range 1.2.3.4-x;2;FAIL
-m iprange --src-range x-1.2.3.4;2;FAIL
-m iprange --src-range 127.256;2;FAIL
-m iprange --src-range localhost;2;FAIL
-m iprange --src-range "1.2.3.4 - 1.2.3.5";2;FAIL
-m iprange --src-range 1.2.3.4/24;2;FAIL
-m iprange --src-range ::1-::2;2;FAIL
-m iprange --src-range 1.2.3.4 --src-range 1.2.3.5;2;FAIL
%ip6tables
-m iprange --src-range ::1-::2;=;OK
-m iprange ! --src-range ::1;-m iprange ! --src-range ::1-::1;OK
-m iprange --src-range 2001:DB8::1-2001:db8:0:0:0:0:0:ffff --dst-range ::ffff:1.2.3.4-::ffff:2.2.2.2;-m iprange --src-range 2001:db8::1-2001:db8::ffff --dst-range ::ffff:1.2.3.4-::ffff:2.2.2.2;OK
-m iprange --dst-range ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff;=;OK
-m iprange --src-range ::5-::2 --dst-range ::3-::1;=;OK
-m iprange --src-range 1.2.3.4-1.2.3.5;2;FAIL
-m iprange --src-range x-::;2;FAIL
-m iprange --src-range ::-x;2;FAIL
-m iprange --src-range fe80::1%lo;2;FAIL
