:PREROUTING,FORWARD
*mangle
-p tcp -j TCPOPTSTRIP;=;OK
-p tcp -j TCPOPTSTRIP --strip-options 2;=;OK
-p tcp -j TCPOPTSTRIP --strip-options 2,3,4,5,6,7;=;OK
-p tcp -j TCPOPTSTRIP --strip-options wscale;-p tcp -j TCPOPTSTRIP --strip-options 3;OK
-p tcp -j TCPOPTSTRIP --strip-options mss;-p tcp -j TCPOPTSTRIP --strip-options 2;OK
-p tcp -j TCPOPTSTRIP --strip-options sack-permitted;-p tcp -j TCPOPTSTRIP --strip-options 4;OK
-p tcp -j TCPOPTSTRIP --strip-options sack;-p tcp -j TCPOPTSTRIP --strip-options 5;OK
-p tcp -j TCPOPTSTRIP --strip-options timestamp;-p tcp -j TCPOPTSTRIP --strip-options 8;OK
-p tcp -j TCPOPTSTRIP --strip-options md5;-p tcp -j TCPOPTSTRIP --strip-options 19;OK
-p tcp -j TCPOPTSTRIP --strip-options timestamp,mss,8,255,wscale;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options mss,2,mss;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 0;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 1;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 254,255;=;OK
-p tcp -j TCPOPTSTRIP --strip-options 256;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 0x10;-p tcp -j TCPOPTSTRIP --strip-options 16;OK
-p tcp -j TCPOPTSTRIP --strip-options 010;-p tcp -j TCPOPTSTRIP --strip-options 8;OK
-p tcp -j TCPOPTSTRIP --strip-options MSS;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options foo;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options mss,foo;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options "";2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options ,;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options mss,;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options ,mss;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options "mss, wscale";2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options -1;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 2x;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 2-4;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 2 --strip-options 3;2;FAIL
-p tcp -j TCPOPTSTRIP ! --strip-options 2;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options;2;FAIL
-p udp -j TCPOPTSTRIP --strip-options 2;1;FAIL
! -p tcp -j TCPOPTSTRIP --strip-options 2;1;FAIL
-j TCPOPTSTRIP --strip-options 2;1;FAIL
-p tcp -j TCPOPTSTRIP --strip-options 8,timestamp;2;FAIL
-p tcp -j TCPOPTSTRIP --strip-options timestamp,timestamp;2;FAIL
:FORWARD
*filter
-p tcp -j TCPOPTSTRIP --strip-options 2;1;FAIL
%ip6tables
*mangle
-p tcp -j TCPOPTSTRIP --strip-options timestamp,mss;-p tcp -j TCPOPTSTRIP --strip-options 2,8;OK
