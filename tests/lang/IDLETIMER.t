:FORWARD,INPUT
*filter
-j IDLETIMER;2;FAIL
-j IDLETIMER --timeout 5;2;FAIL
-j IDLETIMER --label ta;2;FAIL
-j IDLETIMER --timeout 5 --label ta;=;OK
-j IDLETIMER --label ta --timeout 5;-j IDLETIMER --timeout 5 --label ta;OK
-j IDLETIMER --timeout 0 --label ta;1;FAIL
-j IDLETIMER --timeout 1 --label ta;=;OK
-j IDLETIMER --timeout -1 --label ta;2;FAIL
-j IDLETIMER --timeout 2147483 --label ta;1;FAIL
-j IDLETIMER --timeout 2147484 --label ta;1;FAIL
-j IDLETIMER --timeout 4294967 --label ta;1;FAIL
-j IDLETIMER --timeout 4294967295 --label ta;1;FAIL
-j IDLETIMER --timeout 4294967296 --label ta;2;FAIL
-j IDLETIMER --timeout x --label ta;2;FAIL
-j IDLETIMER --timeout 5 --label "";1;FAIL
-j IDLETIMER --timeout 5 --label 012345678901234567890123456;=;OK
-j IDLETIMER --timeout 5 --label 0123456789012345678901234567;-j IDLETIMER --timeout 5 --label 012345678901234567890123456;OK
-j IDLETIMER --timeout 5 --label 01234567890123456789012345678;-j IDLETIMER --timeout 5 --label 012345678901234567890123456;OK
-j IDLETIMER --timeout 5 --label a/b;1;FAIL
-j IDLETIMER --timeout 5 --label tx --alarm;=;OK
-j IDLETIMER --alarm --timeout 5 --label tb;-j IDLETIMER --timeout 5 --label tb --alarm;OK
-j IDLETIMER --alarm;2;FAIL
-j IDLETIMER ! --timeout 5 --label tc;2;FAIL
-j IDLETIMER --timeout 5 ! --label tc;2;FAIL
-j IDLETIMER --timeout 5 --label tc ! --alarm;2;FAIL
-j IDLETIMER --timeout 5 --label tc --timeout 5;2;FAIL
-j IDLETIMER --timeout 5 --label tc --label tc;2;FAIL
-j IDLETIMER --timeout 5 --label uevent;1;FAIL
-j IDLETIMER --timeout 5 --label power;1;FAIL
-j IDLETIMER --timeout 5 --label subsystem;1;FAIL
-j IDLETIMER --timeout 2147482 --label te;=;OK
-j IDLETIMER --timeout 5 --label .;1;FAIL
-j IDLETIMER --timeout 5 --label ..;1;FAIL
-j IDLETIMER --timeout 5 --label a.b;=;OK
-j IDLETIMER --timeout 5 --label é;=;OK
:PREROUTING
*raw
-j IDLETIMER --timeout 5 --label td;=;OK
*nat
-j IDLETIMER --timeout 5 --label td;=;OK
%ip6tables
*mangle
-j IDLETIMER --timeout 5 --label td;=;OK
-j IDLETIMER --timeout 5 --label ty --alarm;=;OK
