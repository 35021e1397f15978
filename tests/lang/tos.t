:INPUT,FORWARD
*filter
-m tos --tos 0x10;-m tos --tos 0x10/0xff;OK
-m tos --tos 16;-m tos --tos 0x10/0xff;OK
-m tos --tos 0x10/0x3f;=;OK
-m tos ! --tos 0x10;-m tos ! --tos 0x10/0xff;OK
-m tos --tos Minimize-Delay;-m tos --tos 0x10/0x3f;OK
-m tos --tos minimize-delay;-m tos --tos 0x10/0x3f;OK
-m tos --tos Normal-Service;-m tos --tos 0x00/0x3f;OK
-m tos --tos Max;2;FAIL
-m tos --tos 256;2;FAIL
-m tos --tos 0/0;-m tos --tos 0x00/0x00;OK
-m tos --tos 0xff/0x0f;=;OK
-m tos --tos 0x10/0x100;2;FAIL
-m tos --tos 1/x;2;FAIL
-m tos --tos "";2;FAIL
-m tos --tos x;2;FAIL
-m tos;2;FAIL
-m tos --tos 1 --tos 2;2;FAIL
-m tos --tos -1;2;FAIL
-m tos --tos 0x08/0x3f;=;OK
-m tos --tos 0x03/0x3f;=;OK
-m tos ! --tos Minimize-Cost;-m tos ! --tos 0x02/0x3f;OK
%ip6tables
:PREROUTING
*mangle
-m tos --tos Minimize-Delay;-m tos --tos 0x10/0x3f;OK
-m tos ! --tos 0x10;-m tos ! --tos 0x10/0xff;OK
-m tos --tos 300;2;FAIL
