:PREROUTING,FORWARD
*mangle
-j DSCP --set-dscp 0;-j DSCP --set-dscp 0x00;OK
-j DSCP --set-dscp 0x3f;=;OK
-j DSCP --set-dscp 63;-j DSCP --set-dscp 0x3f;OK
-j DSCP --set-dscp 077;-j DSCP --set-dscp 0x3f;OK
-j DSCP --set-dscp 64;2;FAIL
-j DSCP --set-dscp -1;2;FAIL
-j DSCP --set-dscp x;2;FAIL
-j DSCP --set-dscp "";2;FAIL
-j DSCP --set-dscp-class efx;-j DSCP --set-dscp 0x2e;OK
-j DSCP --set-dscp-class CS10;-j DSCP --set-dscp 0x08;OK
-j DSCP --set-dscp-class cs;2;FAIL
-j DSCP --set-dscp-class CS0;-j DSCP --set-dscp 0x00;OK
-j DSCP --set-dscp-class CS1;-j DSCP --set-dscp 0x08;OK
-j DSCP --set-dscp-class CS2;-j DSCP --set-dscp 0x10;OK
-j DSCP --set-dscp-class CS3;-j DSCP --set-dscp 0x18;OK
-j DSCP --set-dscp-class CS4;-j DSCP --set-dscp 0x20;OK
-j DSCP --set-dscp-class CS5;-j DSCP --set-dscp 0x28;OK
-j DSCP --set-dscp-class CS6;-j DSCP --set-dscp 0x30;OK
-j DSCP --set-dscp-class CS7;-j DSCP --set-dscp 0x38;OK
-j DSCP --set-dscp-class BE;-j DSCP --set-dscp 0x00;OK
-j DSCP --set-dscp-class AF11;-j DSCP --set-dscp 0x0a;OK
-j DSCP --set-dscp-class AF12;-j DSCP --set-dscp 0x0c;OK
-j DSCP --set-dscp-class AF13;-j DSCP --set-dscp 0x0e;OK
-j DSCP --set-dscp-class AF21;-j DSCP --set-dscp 0x12;OK
-j DSCP --set-dscp-class AF22;-j DSCP --set-dscp 0x14;OK
-j DSCP --set-dscp-class AF23;-j DSCP --set-dscp 0x16;OK
-j DSCP --set-dscp-class AF31;-j DSCP --set-dscp 0x1a;OK
-j DSCP --set-dscp-class AF32;-j DSCP --set-dscp 0x1c;OK
-j DSCP --set-dscp-class AF33;-j DSCP --set-dscp 0x1e;OK
-j DSCP --set-dscp-class AF41;-j DSCP --set-dscp 0x22;OK
-j DSCP --set-dscp-class AF42;-j DSCP --set-dscp 0x24;OK
-j DSCP --set-dscp-class AF43;-j DSCP --set-dscp 0x26;OK
-j DSCP --set-dscp-class EF;-j DSCP --set-dscp 0x2e;OK
-j DSCP --set-dscp-class ef;-j DSCP --set-dscp 0x2e;OK
-j DSCP --set-dscp-class cs1;-j DSCP --set-dscp 0x08;OK
-j DSCP --set-dscp-class LE;2;FAIL
-j DSCP --set-dscp-class VA;2;FAIL
-j DSCP --set-dscp-class CS8;2;FAIL
-j DSCP --set-dscp-class AF14;2;FAIL
-j DSCP --set-dscp-class "";2;FAIL
-j DSCP --set-dscp-class 1;2;FAIL
-j DSCP;2;FAIL
-j DSCP --set-dscp 1 --set-dscp-class EF;2;FAIL
-j DSCP --set-dscp-class EF --set-dscp 1;2;FAIL
-j DSCP --set-dscp 1 --set-dscp 1;2;FAIL
-j DSCP --set-dscp-class EF --set-dscp-class EF;2;FAIL
-j DSCP ! --set-dscp 1;2;FAIL
-j DSCP ! --set-dscp-class EF;2;FAIL
-j DSCP --set-dscp;2;FAIL
:FORWARD
*filter
-j DSCP --set-dscp 1;1;FAIL
:PREROUTING
*raw
-j DSCP --set-dscp 1;1;FAIL
*nat
-j DSCP --set-dscp 1;1;FAIL
:FORWARD
*security
-j DSCP --set-dscp 1;1;FAIL
%ip6tables
*mangle
-j DSCP --set-dscp-class EF;-j DSCP --set-dscp 0x2e;OK
