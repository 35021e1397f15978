:INPUT,FORWARD,OUTPUT
*filter
-m ipvs --ipvs;=;OK
-m ipvs ! --vport 80 -j DROP;=;OK
:INPUT
-m ipvs ! --ipvs;=;OK
-m ipvs --vproto tcp;-m ipvs --vproto 6;OK
-m ipvs ! --vproto 6;=;OK
-m ipvs --vproto all;-m ipvs --vproto 0;OK
-m ipvs --vaddr 1.2.3.4;=;OK
-m ipvs ! --vaddr 1.2.3.4/24;=;OK
-m ipvs --vaddr 1.2.3.4/255.255.0.0;-m ipvs --vaddr 1.2.3.4/16;OK
-m ipvs --vaddr 1.2.3.4/255.0.255.0;-m ipvs --vaddr 1.2.3.4;OK
-m ipvs --vport http;-m ipvs --vport 80;OK
-m ipvs --vport 0x50;2;FAIL
-m ipvs --vdir ORIGINAL;=;OK
-m ipvs --vdir reply;-m ipvs --vdir REPLY;OK
-m ipvs --vmethod GATE;=;OK
-m ipvs --vmethod ipip;-m ipvs --vmethod IPIP;OK
-m ipvs ! --vmethod MASQ;=;OK
-m ipvs --vportctl 21;=;OK
-m ipvs ! --vportctl ftp-data;-m ipvs ! --vportctl 20;OK
# With another part it goes without saying that there is a virtual server.
-m ipvs --ipvs --vproto tcp;-m ipvs --vproto 6;OK
-m ipvs --vportctl 21 --vmethod GATE --vdir ORIGINAL --vport 80 --vaddr 1.2.3.4 --vproto tcp -j ACCEPT;-m ipvs --vproto 6 --vaddr 1.2.3.4 --vport 80 --vdir ORIGINAL --vmethod GATE --vportctl 21 -j ACCEPT;OK
-m ipvs ! --vproto tcp ! --vaddr 1.2.3.4 ! --vport 80 --vdir REPLY ! --vmethod GATE ! --vportctl 21 -j LOG;-m ipvs ! --vproto 6 ! --vaddr 1.2.3.4 ! --vport 80 --vdir REPLY ! --vmethod GATE ! --vportctl 21 -j LOG;OK
-m ipvs;2;FAIL
-m ipvs ! --ipvs --vproto tcp;2;FAIL
-m ipvs --vport 1:2;2;FAIL
-m ipvs --vport x;2;FAIL
-m ipvs --vdir FOO;2;FAIL
-m ipvs ! --vdir REPLY;2;FAIL
-m ipvs --vmethod FOO;2;FAIL
-m ipvs --vmethod;2;FAIL
-m ipvs --vproto foo;2;FAIL
-m ipvs --vaddr ::1;2;FAIL
-m ipvs --ipvs --ipvs;2;FAIL
-m ipvs --vport 1 --vport 1;2;FAIL
%ip6tables
-m ipvs --vaddr 2001:db8::1/64;=;OK
-m ipvs ! --vaddr ::1;=;OK
-m ipvs --vaddr 1.2.3.4;2;FAIL
