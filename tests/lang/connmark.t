:INPUT
*filter
-m connmark --mark 1/3;-m connmark --mark 0x1/0x3;OK
-m connmark ! --mark 1;-m connmark ! --mark 0x1;OK
-m connmark --mark 1 --mark 2;2;FAIL
-m connmark;2;FAIL
-m connmark --mark x;2;FAIL
