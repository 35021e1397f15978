:PREROUTING
*mangle
-j TOS --set-tos 0x10;-j TOS --set-tos 0x10/0xff;OK
-j TOS --set-tos 16;-j TOS --set-tos 0x10/0xff;OK
-j TOS --set-tos 0x10/0x3f;=;OK
-j TOS --set-tos Minimize-Delay;-j TOS --set-tos 0x10/0x3f;OK
-j TOS --set-tos normal-service;-j TOS --set-tos 0x00/0x3f;OK
-j TOS --set-tos foo;2;FAIL
-j TOS --set-tos 256;2;FAIL
-j TOS --and-tos 0x10;-j TOS --set-tos 0x00/0xef;OK
-j TOS --or-tos 0x10;-j TOS --set-tos 0x10/0x10;OK
-j TOS --xor-tos 0x10;-j TOS --set-tos 0x10/0x00;OK
-j TOS;2;FAIL
-j TOS --set-tos 1 --or-tos 1;2;FAIL
:INPUT
*filter
-j TOS --set-tos 1;1;FAIL
*mangle
-j TOS --set-tos 0x10/0x100;2;FAIL
-j TOS --set-tos 0x110;2;FAIL
-j TOS --set-tos 0xff/0x0f;=;OK
-j TOS --and-tos x;2;FAIL
-j TOS --or-tos 256;2;FAIL
-j TOS --set-tos Min;2;FAIL
-j TOS --set-tos maximize-throughput;-j TOS --set-tos 0x08/0x3f;OK
-j TOS --set-tos "";2;FAIL
