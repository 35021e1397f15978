:PREROUTING
*mangle
-j MARK --set-mark 1;-j MARK --set-xmark 0x1/0xffffffff;OK
-j MARK --set-mark 1/3;-j MARK --set-xmark 0x1/0x3;OK
-j MARK --set-mark 5/3;-j MARK --set-xmark 0x5/0x7;OK
-j MARK --set-xmark 1/3;-j MARK --set-xmark 0x1/0x3;OK
-j MARK --and-mark 7;-j MARK --set-xmark 0x0/0xfffffff8;OK
-j MARK --or-mark 7;-j MARK --set-xmark 0x7/0x7;OK
-j MARK --xor-mark 7;-j MARK --set-xmark 0x7/0x0;OK
-j MARK --set-mark 1 --or-mark 2;2;FAIL
-j MARK;2;FAIL
-j MARK --set-mark foo;2;FAIL
:INPUT
*filter
-j MARK --set-mark 1;-j MARK --set-xmark 0x1/0xffffffff;OK
*mangle
-j MARK --set-mark 1/0x0;-j MARK --set-xmark 0x1/0x1;OK
-j MARK --set-xmark 5/5;-j MARK --set-xmark 0x5/0x5;OK
-j MARK --set-xmark 5;-j MARK --set-xmark 0x5/0xffffffff;OK
-j MARK --and-mark 1/2;2;FAIL
-j MARK --set-mark 0;-j MARK --set-xmark 0x0/0xffffffff;OK
-j MARK --set-mark 0/0;-j MARK --set-xmark 0x0/0x0;OK
-j MARK --set-mark 1 --set-mark 2;2;FAIL
-j MARK --set-mark 1 --left-shift-mark 2;2;FAIL
-j MARK --set-mark 1 --right-shift-mark 2;2;FAIL
*filter
-m mark --mark 1 -m connmark --mark 2 -j MARK --set-mark 3;-m mark --mark 0x1 -m connmark --mark 0x2 -j MARK --set-xmark 0x3/0xffffffff;OK
--set-mark 1 -j MARK;2;FAIL
