:INPUT
*filter
-j LOG;=;OK
-j LOG --log-prefix "SSH: ";=;OK
-j LOG --log-prefix x;=;OK
-j LOG --log-prefix "";2;FAIL
-j LOG --log-prefix 012345678901234567890123456789;-j LOG --log-prefix 01234567890123456789012345678;OK
-j LOG --log-prefix 01234567890123456789012345678;=;OK
-j LOG --log-level 4;-j LOG;OK
-j LOG --log-level info;-j LOG --log-level 6;OK
-j LOG --log-level warn;2;FAIL
-j LOG --log-level warning;-j LOG;OK
-j LOG --log-level panic;-j LOG --log-level 0;OK
-j LOG --log-level error;-j LOG --log-level 3;OK
-j LOG --log-level 8;2;FAIL
-j LOG --log-level foo;2;FAIL
-j LOG --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode --log-level debug;-j LOG --log-level 7 --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode;OK
-j LOG --log-level 4 --log-level 5;2;FAIL
-j LOG --log-level WARNING;2;FAIL
-j LOG --log-level in;2;FAIL
-j LOG --log-level "";2;FAIL
-j LOG --log-level 7x;2;FAIL
-j LOG --log-prefix a --log-prefix b;2;FAIL
-j LOG ! --log-uid;2;FAIL
-j LOG --log-uid --log-uid;2;FAIL
:PREROUTING
*nat
-j LOG;=;OK
:FORWARD
*security
-j LOG;=;OK
:FORWARD
*filter
-j LOG --log-uid --log-prefix "a b: " --log-level 0;-j LOG --log-prefix "a b: " --log-level 0 --log-uid;OK
-m limit -j LOG --log-tcp-sequence --log-prefix x;-m limit --limit 3/hour -j LOG --log-prefix x --log-tcp-sequence;OK
