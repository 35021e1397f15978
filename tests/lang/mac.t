:INPUT,FORWARD
*filter
-m mac --mac-source 00:11:22:aa:BB:cc;-m mac --mac-source 00:11:22:aa:bb:cc;OK
-m mac ! --mac-source 0:1:2:a:B:c -j DROP;-m mac ! --mac-source 00:01:02:0a:0b:0c -j DROP;OK
:INPUT
-i eth0 -s 10.0.0.1 -m mac ! --mac-source ff:ff:ff:ff:ff:ff -j ACCEPT;-s 10.0.0.1/32 -i eth0 -m mac ! --mac-source ff:ff:ff:ff:ff:ff -j ACCEPT;OK
# A byte without digits is 0.
-m mac --mac-source 00:11:22:aa:bb:;-m mac --mac-source 00:11:22:aa:bb:00;OK
-m mac --mac-source 00::22:33:44:55;-m mac --mac-source 00:00:22:33:44:55;OK
-m mac --mac-source :::::;-m mac --mac-source 00:00:00:00:00:00;OK
-m mac --mac-source ::::::;2;FAIL
-m mac --mac-source 00:11:22:aa:BB;2;FAIL
-m mac --mac-source 00:11:22:aa:BB:cc:dd;2;FAIL
-m mac --mac-source 00-11-22-aa-BB-cc;2;FAIL
-m mac --mac-source 001122aaBBcc;2;FAIL
-m mac --mac-source 00:11:22:aa:BB:g0;2;FAIL
-m mac --mac-source 00:11:22:aa:BB:100;2;FAIL
-m mac --mac-source 000:11:22:aa:BB:12;2;FAIL
-m mac --mac-source 0x1:11:22:aa:BB:12;2;FAIL
-m mac --mac-source 00:11:22:aa:BB:ff/ff:ff:ff:ff:ff:ff;2;FAIL
-m mac --mac-source é:11:22:aa:BB:12;2;FAIL
-m mac --mac-source "";2;FAIL
-m mac --mac-source;2;FAIL
-m mac;2;FAIL
-m mac --mac-source 00:11:22:aa:BB:cc --mac-source 00:11:22:aa:BB:cc;2;FAIL
:OUTPUT
-m mac --mac-source 00:11:22:aa:BB:cc;1;FAIL
*mangle
:PREROUTING
-m mac --mac-source 00:11:22:aa:bb:cc -j MARK --set-mark 1;-m mac --mac-source 00:11:22:aa:bb:cc -j MARK --set-xmark 0x1/0xffffffff;OK
:POSTROUTING
-m mac --mac-source 00:11:22:aa:BB:cc;1;FAIL
*nat
:PREROUTING
-m mac --mac-source 00:11:22:aa:bb:cc;=;OK
:POSTROUTING
-m mac --mac-source 00:11:22:aa:BB:cc;1;FAIL
%ip6tables
*filter
:INPUT
-m mac ! --mac-source 00:11:22:aa:bb:cc;=;OK
:OUTPUT
-m mac ! --mac-source 00:11:22:aa:BB:cc;1;FAIL
