:FORWARD
*filter
-j ULOG;=;OK
-j ULOG --ulog-nlgroup 1;-j ULOG;OK
-j ULOG --ulog-nlgroup 32;=;OK
-j ULOG --ulog-nlgroup 0;2;FAIL
-j ULOG --ulog-nlgroup 33;2;FAIL
-j ULOG --ulog-prefix x;=;OK
-j ULOG --ulog-prefix "";2;FAIL
-j ULOG --ulog-prefix "a b";=;OK
-j ULOG --ulog-prefix 0123456789012345678901234567890;=;OK
-j ULOG --ulog-prefix 01234567890123456789012345678901;-j ULOG --ulog-prefix 0123456789012345678901234567890;OK
-j ULOG --ulog-prefix 012345678901234567890123456789012;-j ULOG --ulog-prefix 0123456789012345678901234567890;OK
-j ULOG --ulog-cprange 0;-j ULOG;OK
-j ULOG --ulog-cprange 1;=;OK
-j ULOG --ulog-cprange 4294967295;=;OK
-j ULOG --ulog-cprange 18446744073709551616;2;FAIL
-j ULOG --ulog-qthreshold 0;2;FAIL
-j ULOG --ulog-qthreshold 1;-j ULOG;OK
-j ULOG --ulog-qthreshold 50;=;OK
-j ULOG --ulog-qthreshold 51;2;FAIL
-j ULOG --ulog-qthreshold 50 --ulog-cprange 3 --ulog-prefix x --ulog-nlgroup 2;-j ULOG --ulog-prefix x --ulog-nlgroup 2 --ulog-cprange 3 --ulog-qthreshold 50;OK
-j ULOG ! --ulog-nlgroup 1;2;FAIL
-j ULOG --ulog-nlgroup 1 --ulog-nlgroup 1;2;FAIL
%ip6tables
-j ULOG;2;FAIL
