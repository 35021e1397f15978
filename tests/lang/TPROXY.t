:PREROUTING
*mangle
-p tcp -j TPROXY --on-port 12345;-p tcp -j TPROXY --on-port 12345 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port 12345 --on-ip 10.0.0.1 --tproxy-mark 0x23/0xff;=;OK
-p udp -j TPROXY --on-port 12345 --on-ip 10.0.0.1 --tproxy-mark 0x23/0xff;=;OK
-p tcp -m tcp --dport 80 -j TPROXY --tproxy-mark 0x23/0xff --on-port 0;-p tcp -m tcp --dport 80 -j TPROXY --on-port 0 --on-ip 0.0.0.0 --tproxy-mark 0x23/0xff;OK
-p tcp -j TPROXY --on-port 65535 --tproxy-mark 1;-p tcp -j TPROXY --on-port 65535 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff;OK
-p tcp -j TPROXY --on-port 1 --tproxy-mark 0x0/0x0;-p tcp -j TPROXY --on-port 1 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port 1 --tproxy-mark 4294967295/4294967295;-p tcp -j TPROXY --on-port 1 --on-ip 0.0.0.0 --tproxy-mark 0xffffffff/0xffffffff;OK
-p tcp -j TPROXY --on-port 1 --tproxy-mark 0xff/0xf;-p tcp -j TPROXY --on-port 1 --on-ip 0.0.0.0 --tproxy-mark 0xff/0xf;OK
-p tcp -j TPROXY --on-port 1 --tproxy-mark 4294967296;2;FAIL
-p tcp -j TPROXY --on-port 1 --tproxy-mark 1/4294967296;2;FAIL
-p tcp -j TPROXY --on-port 1 --tproxy-mark x;2;FAIL
-p tcp -j TPROXY --on-port 1 --tproxy-mark 1/;2;FAIL
-p tcp -j TPROXY --on-port 1 --tproxy-mark 1/x;2;FAIL
-p tcp -j TPROXY --on-port -1;2;FAIL
-p tcp -j TPROXY --on-port http;-p tcp -j TPROXY --on-port 80 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port domain;-p tcp -j TPROXY --on-port 53 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port nosuchservice;2;FAIL
-p tcp -j TPROXY --on-port 1:2;2;FAIL
-p tcp -j TPROXY --on-port 1 --on-ip 10.0.0.1/24;2;FAIL
-p tcp -j TPROXY --on-port 1 --on-ip 300.0.0.1;2;FAIL
-p tcp -j TPROXY --on-port 1 --on-ip 10.1;-p tcp -j TPROXY --on-port 1 --on-ip 10.0.0.1 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port 1 --on-ip 10;-p tcp -j TPROXY --on-port 1 --on-ip 0.0.0.10 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port 1 --on-ip 0.0.0.0;-p tcp -j TPROXY --on-port 1 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port 1 --on-ip localhost;-p tcp -j TPROXY --on-port 1 --on-ip 127.0.0.1 --tproxy-mark 0x0/0x0;OK
-p tcp -j TPROXY --on-port 1 --on-ip ::1;2;FAIL
-p tcp -j TPROXY --on-port 1 --on-ip "";2;FAIL
-p tcp -j TPROXY --on-port;2;FAIL
-p tcp -j TPROXY;2;FAIL
-p tcp -j TPROXY --on-ip 10.0.0.1;2;FAIL
-p tcp -j TPROXY --tproxy-mark 1;2;FAIL
-p tcp -j TPROXY ! --on-port 1;2;FAIL
-p tcp -j TPROXY --on-port 1 ! --on-ip 10.0.0.1;2;FAIL
-p tcp -j TPROXY --on-port 1 ! --tproxy-mark 1;2;FAIL
-p tcp -j TPROXY --on-port 1 --on-port 2;2;FAIL
-p tcp -j TPROXY --on-port 1 --on-ip 1.2.3.4 --on-ip 1.2.3.4;2;FAIL
-p sctp -j TPROXY --on-port 1;1;FAIL
! -p tcp -j TPROXY --on-port 1;1;FAIL
-j TPROXY --on-port 1;1;FAIL
:INPUT,FORWARD,OUTPUT,POSTROUTING
-p tcp -j TPROXY --on-port 1;1;FAIL
:PREROUTING
*raw
-p tcp -j TPROXY --on-port 1;1;FAIL
*nat
-p tcp -j TPROXY --on-port 1;1;FAIL
%ip6tables
*mangle
-p tcp -j TPROXY --on-port 12345;-p tcp -j TPROXY --on-port 12345 --on-ip :: --tproxy-mark 0x0/0x0;OK
-p udp -j TPROXY --on-port 12345 --on-ip 2001:db8::1 --tproxy-mark 0x23/0xff;=;OK
-p tcp -j TPROXY --on-port 12345 --on-ip 2001:db8::1/64;2;FAIL
-p tcp -j TPROXY --on-port 12345 --on-ip 10.0.0.1;2;FAIL
-p tcp -j TPROXY --on-port 12345 --on-ip ::ffff:10.0.0.1;-p tcp -j TPROXY --on-port 12345 --on-ip ::ffff:10.0.0.1 --tproxy-mark 0x0/0x0;OK
