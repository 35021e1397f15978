:PREROUTING
*mangle
-j CONNSECMARK --save;=;OK
:INPUT
*security
-j CONNSECMARK --restore;=;OK
-j CONNSECMARK;2;FAIL
-j CONNSECMARK --save --restore;2;FAIL
*filter
-j CONNSECMARK --save;1;FAIL
:PREROUTING
*raw
-j CONNSECMARK --save;1;FAIL
