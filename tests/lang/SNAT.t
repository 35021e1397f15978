:POSTROUTING
*nat
-j SNAT --to-source 1.2.3.4;=;OK
:INPUT
-j SNAT --to-source 1.2.3.4;=;OK
:PREROUTING
-j SNAT --to-source 1.2.3.4;1;FAIL
:POSTROUTING
-p udp -j SNAT --to-source 1.2.3.4-1.2.3.6:10-20 --random --random-fully --persistent;=;OK
-j SNAT --to-source 1.2.3.4:5;2;FAIL
-j SNAT --to-source 1.2.3.4 --to-source 1.2.3.5;2;FAIL
-j SNAT;2;FAIL
-p tcp -j SNAT --to-source :80;=;OK
-p tcp -j SNAT --to-source 1.2.3.4:80-90;=;OK
-p tcp -j SNAT --to-source 1.2.3.4:90-80;2;FAIL
-p tcp -j SNAT --to-source 1.2.3.4:http;-p tcp -j SNAT --to-source 1.2.3.4:80;OK
