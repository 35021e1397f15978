:PREROUTING,FORWARD
*mangle
-j TEE --gateway 1.2.3.4;=;OK
-j TEE --gateway 1.2.3.4 --oif eth0;=;OK
-j TEE --oif eth0 --gateway 1.2.3.4;-j TEE --gateway 1.2.3.4 --oif eth0;OK
-j TEE --gateway 0.0.0.0;1;FAIL
-j TEE --gateway 255.255.255.255;=;OK
-j TEE --gateway 1.2.3;-j TEE --gateway 1.2.0.3;OK
-j TEE --gateway 1;-j TEE --gateway 0.0.0.1;OK
-j TEE --gateway 1.2.3.4/24;2;FAIL
-j TEE --gateway 1.2.3.256;2;FAIL
-j TEE --gateway "";2;FAIL
-j TEE --gateway ::1;2;FAIL
-j TEE --gateway;2;FAIL
-j TEE;2;FAIL
-j TEE --oif eth0;2;FAIL
-j TEE --gateway 1.2.3.4 --oif "";-j TEE --gateway 1.2.3.4;OK
-j TEE --gateway 1.2.3.4 --oif x;=;OK
-j TEE --gateway 1.2.3.4 --oif 012345678901234;=;OK
-j TEE --gateway 1.2.3.4 --oif 0123456789012345;-j TEE --gateway 1.2.3.4 --oif 012345678901234;OK
-j TEE --gateway 1.2.3.4 --oif eth+;=;OK
-j TEE ! --gateway 1.2.3.4;2;FAIL
-j TEE --gateway 1.2.3.4 ! --oif eth0;2;FAIL
-j TEE --gateway 1.2.3.4 --gateway 1.2.3.4;2;FAIL
-j TEE --gateway 1.2.3.4 --oif eth0 --oif eth0;2;FAIL
:FORWARD
*filter
-j TEE --gateway 1.2.3.4;=;OK
:PREROUTING
*raw
-j TEE --gateway 1.2.3.4;=;OK
*nat
-j TEE --gateway 1.2.3.4;=;OK
:FORWARD
*security
-j TEE --gateway 1.2.3.4;=;OK
%ip6tables
*mangle
-j TEE --gateway 2001:db8::1;=;OK
-j TEE --gateway 2001:db8::1 --oif eth0;=;OK
-j TEE --gateway ::;1;FAIL
-j TEE --gateway 1.2.3.4;2;FAIL
