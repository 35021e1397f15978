:INPUT,FORWARD
*filter
-j QUEUE;=;OK
-j QUEUE --queue-num 1;2;FAIL
-p tcp -j QUEUE;=;OK
-g QUEUE;2;FAIL
:PREROUTING
*nat
-j QUEUE;=;OK
%ip6tables
-j QUEUE;=;OK
