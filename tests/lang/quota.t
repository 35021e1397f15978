:INPUT,FORWARD
*filter
-m quota --quota 0;=;OK
-m quota --quota 1000;=;OK
-m quota ! --quota 1000;=;OK
-m quota --quota 18446744073709551615;=;OK
-m quota --quota 18446744073709551616;2;FAIL
-m quota --quota x;2;FAIL
-m quota --quota 5x;2;FAIL
-m quota --quota 0x10;-m quota --quota 16;OK
-m quota --quota -1;2;FAIL
-m quota --quota "";2;FAIL
-m quota;2;FAIL
-m quota --quota 1 --quota 2;2;FAIL
%ip6tables
-m quota --quota 5 -j ACCEPT;=;OK
-m quota --quota y;2;FAIL
