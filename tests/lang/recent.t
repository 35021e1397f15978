:INPUT,FORWARD,OUTPUT
*filter
-m recent --set;-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --set --name foo;-m recent --set --name foo --mask 255.255.255.255 --rsource;OK
-m recent --set --name foo --rdest;-m recent --set --name foo --mask 255.255.255.255 --rdest;OK
-m recent --set --rsource --rdest;-m recent --set --name DEFAULT --mask 255.255.255.255 --rdest;OK
-m recent ! --set;-m recent ! --set --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --seconds 5;-m recent --rcheck --seconds 5 --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --update --seconds 60 --hitcount 4 --name foo --rttl --rsource;-m recent --update --seconds 60 --hitcount 4 --rttl --name foo --mask 255.255.255.255 --rsource;OK
-m recent ! --update --seconds 60;-m recent ! --update --seconds 60 --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --remove;-m recent --remove --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent ! --remove --name x;-m recent ! --remove --name x --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --reap;2;FAIL
-m recent --rcheck --reap --seconds 4;-m recent --rcheck --seconds 4 --reap --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --seconds 4 --reap --rttl --hitcount 3 --rdest --mask 255.255.0.0;-m recent --rcheck --seconds 4 --reap --hitcount 3 --rttl --name DEFAULT --mask 255.255.0.0 --rdest;OK
-m recent --set --seconds 4;1;FAIL
-m recent --set --hitcount 4;1;FAIL
-m recent --set --rttl;2;FAIL
-m recent --set --reap;2;FAIL
-m recent --remove --seconds 4;1;FAIL
-m recent --remove --rttl;2;FAIL
-m recent --set --rcheck;2;FAIL
-m recent --set --set;2;FAIL
-m recent;2;FAIL
-m recent --name foo;2;FAIL
-m recent --rcheck --hitcount 0;-m recent --rcheck --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --seconds 0;2;FAIL
-m recent --rcheck --hitcount 65535;-m recent --rcheck --hitcount 65535 --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --hitcount 65536;1;FAIL
-m recent --rcheck --hitcount 256;-m recent --rcheck --hitcount 256 --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --seconds 4294967296;2;FAIL
-m recent --rcheck --seconds x;2;FAIL
-m recent --rcheck --seconds 0x10;-m recent --rcheck --seconds 16 --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --rcheck ! --seconds 3;2;FAIL
-m recent --set --mask 24;-m recent --set --name DEFAULT --mask 0.0.0.24 --rsource;OK
-m recent --set --mask 255.255.255.0;-m recent --set --name DEFAULT --mask 255.255.255.0 --rsource;OK
-m recent --set --mask 255.0.255.0;-m recent --set --name DEFAULT --mask 255.0.255.0 --rsource;OK
-m recent --set --mask 0.0.0.0;-m recent --set --name DEFAULT --mask 0.0.0.0 --rsource;OK
-m recent --set --mask 255.255;-m recent --set --name DEFAULT --mask 255.0.0.255 --rsource;OK
-m recent --set --name "";1;FAIL
-m recent --set --name a/b;1;FAIL
-m recent --set --name aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrrssssssssssaaaaaaaaaa;-m recent --set --name aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrrssssssssssaaaaaaaaaa --mask 255.255.255.255 --rsource;OK
-m recent --set --name aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffggggggggggaaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrrssssssssssaaaaaaaaaahhhhhhhhhhiiiiiiiiii;-m recent --set --name aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffggggggggggaaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmn --mask 255.255.255.255 --rsource;OK
-m recent --set --name DEFAULT;-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --set --name x --name y;2;FAIL
-m recent --set --rsource --rsource;2;FAIL
-m recent --set ! --rsource;2;FAIL
-m recent --update --reap --seconds 0;2;FAIL
-m recent --set --name .;1;FAIL
-m recent --set --name ..;1;FAIL
-m recent --set --name é;-m recent --set --name é --mask 255.255.255.255 --rsource;OK
-m recent --set --name x -m recent --rcheck --name x;-m recent --set --name x --mask 255.255.255.255 --rsource -m recent --rcheck --name x --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --hitcount 5 --name x -m recent --rcheck --hitcount 300 --name x;-m recent --rcheck --hitcount 5 --name x --mask 255.255.255.255 --rsource -m recent --rcheck --hitcount 300 --name x --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --hitcount 300 --name x -m recent --rcheck --hitcount 3 --name x;-m recent --rcheck --hitcount 300 --name x --mask 255.255.255.255 --rsource -m recent --rcheck --hitcount 3 --name x --mask 255.255.255.255 --rsource;OK
-m recent --set --name x --mask 255.255.0.0 -m recent --rcheck --name x;-m recent --set --name x --mask 255.255.0.0 --rsource -m recent --rcheck --name x --mask 255.255.255.255 --rsource;OK
-m recent --rcheck --seconds 2147483647;-m recent --rcheck --seconds 2147483647 --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --set --rdest --rsource;-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource;OK
-m recent --set --mask 0x10;-m recent --set --name DEFAULT --mask 0.0.0.16 --rsource;OK
-m recent --set --mask localhost;-m recent --set --name DEFAULT --mask 127.0.0.1 --rsource;OK
-m recent --set --mask 1.2.3.4/5;2;FAIL
-m recent --set --mask ffff::;2;FAIL
-m recent --set --mask "";2;FAIL
-p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 -j DROP;-p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name DEFAULT --mask 255.255.255.255 --rsource -j DROP;OK
:PREROUTING
*mangle
-m recent --update --name x;-m recent --update --name x --mask 255.255.255.255 --rsource;OK
*nat
-m recent --rcheck;-m recent --rcheck --name DEFAULT --mask 255.255.255.255 --rsource;OK
*raw
-m recent --set;-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource;OK
%ip6tables
:INPUT
*filter
-m recent --set;-m recent --set --name DEFAULT --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource;OK
-m recent --set --mask ffff::;-m recent --set --name DEFAULT --mask ffff:: --rsource;OK
-m recent --rcheck --mask ffff:0:ffff::;-m recent --rcheck --name DEFAULT --mask ffff:0:ffff:: --rsource;OK
-m recent --rcheck --mask ::;-m recent --rcheck --name DEFAULT --mask :: --rsource;OK
-m recent --set --mask 64;2;FAIL
-m recent --set --mask 255.255.0.0;2;FAIL
-m recent --set --mask x::;2;FAIL
-m recent --update --rdest --name é;-m recent --update --name é --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rdest;OK
