:INPUT
*filter
-m state --state NEW,ESTABLISHED;=;OK
-m state ! --state NEW;=;OK
-m state;2;FAIL
-m state --state SNAT;2;FAIL
-m state --state "";2;FAIL
-m state --state new,BAR;2;FAIL
