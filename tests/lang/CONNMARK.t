:PREROUTING
*mangle
-j CONNMARK --set-mark 1;-j CONNMARK --set-xmark 0x1/0xffffffff;OK
-j CONNMARK --set-mark 1/7;-j CONNMARK --set-xmark 0x1/0x7;OK
-j CONNMARK --set-xmark 1/7;-j CONNMARK --set-xmark 0x1/0x7;OK
-j CONNMARK --save-mark;-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff;OK
-j CONNMARK --restore-mark;-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff;OK
-j CONNMARK --save-mark --mask 0xff;-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff;OK
-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff00;=;OK
-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff;=;OK
-j CONNMARK --restore-mark --mask 7 --ctmask 0xff;2;FAIL
-j CONNMARK --and-mark 7;-j CONNMARK --set-xmark 0x0/0xfffffff8;OK
-j CONNMARK --or-mark 7;-j CONNMARK --set-xmark 0x7/0x7;OK
-j CONNMARK --xor-mark 7;-j CONNMARK --set-xmark 0x7/0x0;OK
-j CONNMARK;2;FAIL
-j CONNMARK --mask 7;2;FAIL
-j CONNMARK --set-mark 1 --mask 7;-j CONNMARK --set-xmark 0x1/0x7;OK
-j CONNMARK --save-mark --restore-mark;2;FAIL
-j CONNMARK --save-mark --nfmask 0xff;-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xffffffff;OK
-j CONNMARK --save-mark --left-shift-mark 2;-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff --left-shift-mark 2;OK
-j CONNMARK --left-shift-mark 2 --save-mark;-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff --left-shift-mark 2;OK
-j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff --right-shift-mark 0x10;-j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff --right-shift-mark 16;OK
-j CONNMARK --set-mark 5 --left-shift-mark 31;-j CONNMARK --set-xmark 0x5/0xffffffff --left-shift-mark 31;OK
-j CONNMARK --xor-mark 5 --right-shift-mark 1;-j CONNMARK --set-xmark 0x5/0x0 --right-shift-mark 1;OK
-j CONNMARK --set-mark 5 --left-shift-mark 2 --right-shift-mark 3;-j CONNMARK --set-xmark 0x5/0xffffffff --right-shift-mark 3;OK
-j CONNMARK --set-mark 5/7 --right-shift-mark 3 --left-shift-mark 0;-j CONNMARK --set-xmark 0x5/0x7;OK
-j CONNMARK --save-mark --left-shift-mark 0;-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff;OK
-j CONNMARK --set-mark 5 --left-shift-mark 32;1;FAIL
-j CONNMARK --save-mark --right-shift-mark 32;1;FAIL
-j CONNMARK --save-mark --left-shift-mark 33;2;FAIL
-j CONNMARK --save-mark --left-shift-mark x;2;FAIL
-j CONNMARK --save-mark --left-shift-mark -1;2;FAIL
-j CONNMARK --save-mark ! --left-shift-mark 1;2;FAIL
-j CONNMARK --save-mark --left-shift-mark 1 --left-shift-mark 2;2;FAIL
-j CONNMARK --save-mark --left-shift-mark;2;FAIL
-j CONNMARK --left-shift-mark 2;2;FAIL
:INPUT
*filter
-j CONNMARK --set-mark 1;-j CONNMARK --set-xmark 0x1/0xffffffff;OK
*mangle
-j CONNMARK --set-mark 1/0;-j CONNMARK --set-xmark 0x1/0x1;OK
-j CONNMARK --set-mark 5/1;-j CONNMARK --set-xmark 0x5/0x5;OK
-j CONNMARK --save-mark --mask 0;-j CONNMARK --save-mark --nfmask 0x0 --ctmask 0x0;OK
-j CONNMARK --save-mark --nfmask 0x0;-j CONNMARK --save-mark --nfmask 0x0 --ctmask 0xffffffff;OK
-j CONNMARK --set-mark 1 --nfmask 0xff;-j CONNMARK --set-xmark 0x1/0xffffffff;OK
-j CONNMARK --and-mark 1 --mask 5;-j CONNMARK --set-xmark 0x0/0x5;OK
-j CONNMARK --set-xmark 0/0xffffffff;-j CONNMARK --set-xmark 0x0/0xffffffff;OK
-j CONNMARK --set-mark 0;-j CONNMARK --set-xmark 0x0/0xffffffff;OK
-j CONNMARK --restore-mark --mask x;2;FAIL
-j CONNMARK --set-xmark 1 --mask 3;-j CONNMARK --set-xmark 0x1/0x3;OK
