:FORWARD,INPUT
*filter
-j AUDIT;2;FAIL
-j AUDIT --type accept;=;OK
-j AUDIT --type drop;=;OK
-j AUDIT --type reject;=;OK
-j AUDIT --type ACCEPT;-j AUDIT --type accept;OK
-j AUDIT --type foo;2;FAIL
-j AUDIT --type "";2;FAIL
-j AUDIT --type;2;FAIL
-j AUDIT ! --type accept;2;FAIL
-j AUDIT --type accept --type drop;2;FAIL
-j AUDIT --type acc;2;FAIL
-j AUDIT --type acceptx;2;FAIL
:PREROUTING
*nat
-j AUDIT --type accept;=;OK
*raw
-j AUDIT --type accept;=;OK
%ip6tables
*mangle
-j AUDIT --type reject;=;OK
