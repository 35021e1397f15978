:INPUT
*filter
-m ipv6header --header esp;2;FAIL
%ip6tables
:INPUT,FORWARD,OUTPUT
-m ipv6header --header ipv6-frag,esp;=;OK
-m ipv6header ! --header hop-by-hop --soft -j DROP;=;OK
:INPUT
-m ipv6header --header hop-by-hop,ipv6-opts,ipv6-route,ipv6-frag,ah,esp,ipv6-nonxt,protocol;=;OK
-m ipv6header --soft --header prot,none,esp,auth,frag,route,dst,hop -j LOG;-m ipv6header --header hop-by-hop,ipv6-opts,ipv6-route,ipv6-frag,ah,esp,ipv6-nonxt,protocol --soft -j LOG;OK
-m ipv6header ! --header esp,ah;-m ipv6header ! --header ah,esp;OK
-m ipv6header --header 0,60,43,44,51,50,59,255;-m ipv6header --header hop-by-hop,ipv6-opts,ipv6-route,ipv6-frag,ah,esp,ipv6-nonxt,protocol;OK
-m ipv6header --header hopopt;-m ipv6header --header hop-by-hop;OK
-m ipv6header --header ip,,esp,;-m ipv6header --header hop-by-hop,esp;OK
-m ipv6header --header ,esp;-m ipv6header --header esp;OK
-m ipv6header --header ipv6;2;FAIL
-m ipv6header --header tcp;2;FAIL
-m ipv6header --header 6;2;FAIL
-m ipv6header --header 256;2;FAIL
-m ipv6header --header 0x32;2;FAIL
-m ipv6header --header 050;2;FAIL
-m ipv6header --header foo;2;FAIL
-m ipv6header --header es;2;FAIL
-m ipv6header --header ESP;2;FAIL
-m ipv6header --header proto;2;FAIL
-m ipv6header --header "";2;FAIL
-m ipv6header --header ,;2;FAIL
-m ipv6header --header;2;FAIL
-m ipv6header;2;FAIL
-m ipv6header --soft;2;FAIL
-m ipv6header ! --soft --header esp;2;FAIL
-m ipv6header --header esp --soft --soft;2;FAIL
-m ipv6header --header esp --header ah;2;FAIL
