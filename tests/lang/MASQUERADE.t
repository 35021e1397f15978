:POSTROUTING
*nat
-j MASQUERADE;=;OK
-j MASQUERADE --random --random-fully;=;OK
-p tcp -j MASQUERADE --to-ports 80;=;OK
-p tcp -j MASQUERADE --to-ports 80-90;=;OK
-p tcp -j MASQUERADE --to-ports 90-80;2;FAIL
-p tcp -j MASQUERADE --to-ports 80:90;2;FAIL
-p tcp -j MASQUERADE --to-ports foo;2;FAIL
-p tcp -j MASQUERADE --to-ports 0;=;OK
-j MASQUERADE --to-ports 80;2;FAIL
:PREROUTING
-j MASQUERADE;1;FAIL
:OUTPUT
-j MASQUERADE;1;FAIL
:POSTROUTING
-p tcp -j MASQUERADE --to-ports http;-p tcp -j MASQUERADE --to-ports 80;OK
-p tcp -j MASQUERADE --to-ports 80-80;-p tcp -j MASQUERADE --to-ports 80;OK
-p tcp -j MASQUERADE --persistent;2;FAIL
