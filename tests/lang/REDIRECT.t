:PREROUTING
*nat
-j REDIRECT;=;OK
-p tcp -j REDIRECT --to-ports 8080;=;OK
-p tcp -j REDIRECT --to-port 8080;-p tcp -j REDIRECT --to-ports 8080;OK
-p tcp -j REDIRECT --to-ports 8080-8090;=;OK
-p tcp -j REDIRECT --to-ports 8090-8080;2;FAIL
-p tcp -j REDIRECT --to-ports http;-p tcp -j REDIRECT --to-ports 80;OK
-p tcp -j REDIRECT --to-ports 0;=;OK
-p tcp -j REDIRECT --to-ports 70000;2;FAIL
-p tcp -j REDIRECT --to-ports foo;2;FAIL
-p tcp -j REDIRECT --to-ports 80-foo;2;FAIL
-j REDIRECT --to-ports 80;2;FAIL
-j REDIRECT --random;=;OK
-p tcp -j REDIRECT --to-ports 5-6 --random;=;OK
:POSTROUTING
-j REDIRECT;1;FAIL
:OUTPUT
-j REDIRECT;=;OK
:INPUT
-j REDIRECT;1;FAIL
:PREROUTING
-p tcp -j REDIRECT --to-ports 80-80;-p tcp -j REDIRECT --to-ports 80;OK
-p tcp -j REDIRECT --to-ports "";2;FAIL
-p tcp -j REDIRECT --to-ports 80/5;2;FAIL
-p tcp -j REDIRECT --to-ports 80-90/5;2;FAIL
-p tcp -j REDIRECT --random-fully;2;FAIL
-p tcp -j REDIRECT --persistent;2;FAIL
-p icmp -j REDIRECT --to-ports 80;=;OK
