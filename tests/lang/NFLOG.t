:INPUT,FORWARD
*filter
-j NFLOG;=;OK
-j NFLOG --nflog-group 0;-j NFLOG;OK
-j NFLOG --nflog-group 1;=;OK
-j NFLOG --nflog-group 65535;=;OK
-j NFLOG --nflog-group 65536;2;FAIL
-j NFLOG --nflog-group -1;2;FAIL
-j NFLOG --nflog-range 0;-j NFLOG;OK
-j NFLOG --nflog-range 1;=;OK
-j NFLOG --nflog-range 4294967295;=;OK
-j NFLOG --nflog-range 4294967296;2;FAIL
-j NFLOG --nflog-size 0;=;OK
-j NFLOG --nflog-size 1;=;OK
-j NFLOG --nflog-size 4294967295;=;OK
-j NFLOG --nflog-size 4294967296;2;FAIL
-j NFLOG --nflog-size 1 --nflog-range 2;2;FAIL
-j NFLOG --nflog-range 2 --nflog-size 1;2;FAIL
-j NFLOG --nflog-threshold 0;-j NFLOG;OK
-j NFLOG --nflog-threshold 1;=;OK
-j NFLOG --nflog-threshold 2;=;OK
-j NFLOG --nflog-threshold 65535;=;OK
-j NFLOG --nflog-threshold 65536;2;FAIL
-j NFLOG --nflog-prefix "";2;FAIL
-j NFLOG --nflog-prefix x;=;OK
-j NFLOG --nflog-prefix "a b: ";=;OK
-j NFLOG --nflog-prefix "q\"u'o\\te";-j NFLOG --nflog-prefix "q\"u\'o\\te";OK
-j NFLOG --nflog-prefix "é";=;OK
-j NFLOG --nflog-prefix 012345678901234567890123456789012345678901234567890123456789012;=;OK
-j NFLOG --nflog-prefix 0123456789012345678901234567890123456789012345678901234567890123;-j NFLOG --nflog-prefix 012345678901234567890123456789012345678901234567890123456789012;OK
-j NFLOG --nflog-prefix 01234567890123456789012345678901234567890123456789012345678901234;-j NFLOG --nflog-prefix 012345678901234567890123456789012345678901234567890123456789012;OK
-j NFLOG --nflog-threshold 3 --nflog-size 4 --nflog-prefix x --nflog-group 5;-j NFLOG --nflog-prefix x --nflog-group 5 --nflog-size 4 --nflog-threshold 3;OK
-j NFLOG --nflog-threshold 3 --nflog-range 4 --nflog-prefix x --nflog-group 5;-j NFLOG --nflog-prefix x --nflog-group 5 --nflog-range 4 --nflog-threshold 3;OK
-j NFLOG ! --nflog-group 1;2;FAIL
-j NFLOG --nflog-group 1 --nflog-group 1;2;FAIL
-j NFLOG --nflog-prefix x --nflog-prefix x;2;FAIL
-j NFLOG --nflog-group;2;FAIL
-j NFLOG --nflog-group "";2;FAIL
-j NFLOG --nflog-group 0x10;-j NFLOG --nflog-group 16;OK
-j NFLOG --nflog-range 3 --bad;2;FAIL
-j NFLOG --nflog-prefix "a	b";=;OK
-j NFLOG --nflog-range 0 --nflog-size 3;2;FAIL
:PREROUTING
*raw
-j NFLOG;=;OK
*nat
-j NFLOG;=;OK
*mangle
-j NFLOG;=;OK
:FORWARD
*security
-j NFLOG;=;OK
%ip6tables
*filter
-j NFLOG --nflog-prefix x --nflog-group 5;=;OK
