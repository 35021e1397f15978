:PREROUTING,OUTPUT
*raw
-j TRACE;=;OK
-p tcp --dport 80 -j TRACE;-p tcp -m tcp --dport 80 -j TRACE;OK
-j TRACE --foo;2;FAIL
-j TRACE foo;2;FAIL
:PREROUTING
*mangle
-j TRACE;1;FAIL
*nat
-j TRACE;1;FAIL
:FORWARD
*filter
-j TRACE;1;FAIL
*security
-j TRACE;1;FAIL
:PREROUTING,OUTPUT
%ip6tables
*raw
-j TRACE;=;OK
