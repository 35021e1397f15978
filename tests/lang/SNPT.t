%ip6tables
:INPUT,POSTROUTING
*mangle
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;=;OK
-j SNPT --dst-pfx 2001:db9::/64 --src-pfx 2001:db8::/64;-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;OK
-j SNPT --src-pfx 2001:db8::/48 --dst-pfx 2001:db9:1::/56;=;OK
-j SNPT --src-pfx 2001:db8::/0 --dst-pfx 2001:db9::/0;1;FAIL
-j SNPT --src-pfx 2001:db8::/65 --dst-pfx 2001:db9::/64;1;FAIL
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/65;1;FAIL
-j SNPT --src-pfx 2001:db8::/128 --dst-pfx 2001:db9::/64;1;FAIL
-j SNPT --src-pfx 2001:db8::/129 --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 2001:db8:: --dst-pfx 2001:db9::/64;1;FAIL
-j SNPT --src-pfx 2001:db8::1/64 --dst-pfx 2001:db9::1/64;1;FAIL
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9:0:1:1::/64;1;FAIL
-j SNPT --src-pfx 2001:db8:0:1::/60 --dst-pfx 2001:db9::/64;1;FAIL
-j SNPT --src-pfx 2001:db8::/ffff:: --dst-pfx 2001:db9::/64;1;FAIL
-j SNPT --src-pfx 2001:db8::/x --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 2001:db8::/ --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 10.0.0.0/8 --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx "" --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 2001:db8::/64;2;FAIL
-j SNPT --dst-pfx 2001:db8::/64;2;FAIL
-j SNPT;2;FAIL
-j SNPT ! --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 2001:db8::/64 ! --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 2001:db8::/64 --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx;2;FAIL
-j SNPT --src-pfx 2001:db8::/0x40 --dst-pfx 2001:db9::/064;-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/52;OK
-j SNPT --src-pfx 2001:db8::/-1 --dst-pfx 2001:db9::/64;2;FAIL
-j SNPT --src-pfx 2001:db8::/64/64 --dst-pfx 2001:db9::/64;2;FAIL
:PREROUTING,FORWARD
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;1;FAIL
:POSTROUTING
*nat
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;1;FAIL
:INPUT
*filter
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db9::/64;1;FAIL
