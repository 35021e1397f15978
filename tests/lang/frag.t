:INPUT
*filter
-m frag;2;FAIL
%ip6tables
:INPUT,FORWARD,OUTPUT
-m frag --fragid 5;=;OK
-m frag --fragmore -j DROP;=;OK
:INPUT
-m frag;=;OK
-m frag -j LOG;=;OK
-m frag --fragid 5:10;=;OK
-m frag ! --fragid 5:10;=;OK
-m frag --fragid 10:5;=;OK
-m frag --fragid :;-m frag;OK
-m frag ! --fragid :;-m frag;OK
-m frag --fraglen 5;=;OK
-m frag ! --fraglen 5;=;OK
-m frag --fraglen 0;=;OK
-m frag --fragres;=;OK
-m frag --fragfirst;=;OK
-m frag --fragmore;=;OK
-m frag --fraglast;=;OK
-m frag --fraglast --fragfirst;-m frag --fragfirst --fraglast;OK
-m frag --fragmore --fragfirst --fragres --fraglen 5 --fragid 4 -j LOG;-m frag --fragid 4 --fraglen 5 --fragres --fragfirst --fragmore -j LOG;OK
-m frag ! --fraglen 8 ! --fragid 0 --fragres -j LOG;-m frag ! --fragid 0 ! --fraglen 8 --fragres -j LOG;OK
-m frag --fragmore --fraglast;2;FAIL
-m frag --fraglast --fragmore;2;FAIL
-m frag --fragid x;2;FAIL
-m frag --fragid 1:2:3;2;FAIL
-m frag --fragid 4294967296;2;FAIL
-m frag --fraglen 1:2;2;FAIL
-m frag --fraglen x;2;FAIL
-m frag --fraglen 4294967296;2;FAIL
-m frag ! --fragfirst;2;FAIL
-m frag ! --fragmore;2;FAIL
-m frag ! --fraglast;2;FAIL
-m frag ! --fragres;2;FAIL
-m frag --fragid 4 --fragid 4;2;FAIL
-m frag --fragfirst --fragfirst;2;FAIL
-p ipv6-frag -m frag --fragid 5;=;OK
