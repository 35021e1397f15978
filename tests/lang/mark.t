:INPUT
*filter
-m mark --mark 5;-m mark --mark 0x5;OK
-m mark ! --mark 0x5/0xff;=;OK
-m mark --mark 0xff/0x5;=;OK
-m mark --mark 010;-m mark --mark 0x8;OK
-m mark --mark x;2;FAIL
-m mark --mark 4294967296;2;FAIL
-m mark --mark 1/x;2;FAIL
-m mark --mark -1;2;FAIL
-m mark;2;FAIL
-m mark --mark 1 --mark 2;2;FAIL
-m mark --mark 0/0;-m mark --mark 0x0/0x0;OK
-m mark --mark 0x10/0xffffffff;-m mark --mark 0x10;OK
-m mark --mark "";2;FAIL
-m mark --mark 1/;2;FAIL
