:INPUT
*filter
-i "a b";2;FAIL
# The real one takes these three and cuts the number down to what fits.
-p udp --dport 70000;2;FAIL
-m conntrack --ctorigsrcport 70000;2;FAIL
-m conntrack --ctorigsrc 1.2.3.4/33;2;FAIL
:POSTROUTING
*nat
-p tcp -j SNAT --to-source 1.2.3.4:80-90/100;2;FAIL
# The real one takes these two for the one host.
-j NETMAP --to 10.0.0.0/33;2;FAIL
-j NETMAP --to 10.0.0.0/255.0.255.0;2;FAIL
:INPUT
*filter
# The real one cuts these two to 16 and 8 bits.
-p tcp -j SYNPROXY --mss 65536;2;FAIL
-p tcp -j SYNPROXY --wscale 256;2;FAIL
-p tcp -m osf --genre "";2;FAIL
-p tcp -m osf --genre "Windows XP";2;FAIL
-m physdev --physdev-in "a b";2;FAIL
-m physdev --physdev-in "";2;FAIL
# The real one saves these so that they cannot be read back: a name in two words, a negative number, a list without a word.
-m recent --set --name "a b";2;FAIL
-m recent --set --name "a\"b";2;FAIL
-m recent --rcheck --seconds 2147483648;2;FAIL
-m time --weekdays 8;2;FAIL
-m time --weekdays "";2;FAIL
-m time ! --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun;2;FAIL
-m time --monthdays 0;2;FAIL
-m time ! --monthdays 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31;2;FAIL
-p dccp -m dccp --dccp-types "";2;FAIL
-p dccp -m dccp ! --dccp-types ,;2;FAIL
-m hashlimit --hashlimit-upto 5/s --hashlimit-name "a b";2;FAIL
-m hashlimit --hashlimit-upto 5/s --hashlimit-name "a\"b";2;FAIL
-m hashlimit --hashlimit-upto 15b/s --hashlimit-name a;2;FAIL
-m hashlimit --hashlimit-upto 1gb/s --hashlimit-name a;2;FAIL
-m hashlimit --hashlimit-upto 1b/s --hashlimit-burst 40b --hashlimit-name a;2;FAIL
-m hashlimit --hashlimit-upto 65536mb/s --hashlimit-name a;2;FAIL
-m hashlimit --hashlimit-upto 1mb/s --hashlimit-burst 30000mb --hashlimit-name a;2;FAIL
# The real one says that mktime failed, and ends with 1.
-m time --datestart 1970-00-01;2;FAIL
# The real one cuts these numbers to what fits, and takes what stands behind them.
-p dccp -m dccp --sport 70000;2;FAIL
-m mac --mac-source -1:11:22:aa:BB:12;2;FAIL
-m mac --mac-source +1:11:22:aa:BB:12;2;FAIL
-m mac --mac-source " 1:11:22:aa:BB:12";2;FAIL
-m bpf --bytecode "1,70000 0 0 1";2;FAIL
-m bpf --bytecode "1,6 256 0 1";2;FAIL
-m bpf --bytecode "1,6 0 0 4294967296";2;FAIL
-m bpf --bytecode "1,6 0 0 1 5";2;FAIL
-m bpf --bytecode "1,6 0 0 1x";2;FAIL
# Objects of the kernel's.
-m bpf --object-pinned /sys/fs/bpf/x;2;FAIL
-j ULOG --ulog-cprange 4294967296;2;FAIL
-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 5000s;2;FAIL
-j RATEEST --rateest-name a --rateest-interval 1us --rateest-ewmalog 1000s;2;FAIL
:FORWARD
*mangle
-j CLASSIFY --set-class 10000:0;2;FAIL
-j CLASSIFY --set-class 1:10000;2;FAIL
-j CLASSIFY --set-class -1:1;2;FAIL
-j CLASSIFY --set-class +1:1;2;FAIL
-j CLASSIFY --set-class 1:2x;2;FAIL
-j CLASSIFY --set-class 1:2:3;2;FAIL
-j CLASSIFY --set-class " 1:2";2;FAIL
:PREROUTING
-p tcp -j TPROXY --on-port 65536;2;FAIL
-p tcp -j TPROXY --on-port "";2;FAIL
# The real one takes these, and cannot restore what it saves.
-j TEE --gateway 1.2.3.4 --oif "a\\b";2;FAIL
-j TEE --gateway 1.2.3.4 --oif "a b";2;FAIL
-j TEE --gateway 1.2.3.4 --oif "e\"th";2;FAIL
-j RATEEST --rateest-name "" --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name "a b" --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j IDLETIMER --timeout 5 --label "a b";2;FAIL
-j IDLETIMER --timeout 5 --label "a'b";2;FAIL
-j LED --led-trigger-id "a\"b";2;FAIL
-j LED --led-trigger-id a --led-delay 3000000000;2;FAIL
*raw
-j CT --notrack --helper "a b";2;FAIL
-j CT --notrack --timeout "a b";2;FAIL
%ip6tables
:PREROUTING
*mangle
-j DNPT --src-pfx ::/0 --dst-pfx ::/0;2;FAIL
-j DNPT --src-pfx 2001:db8::/64 --dst-pfx ::/0;2;FAIL
:POSTROUTING
-j SNPT --src-pfx ::/0 --dst-pfx 2001:db8::/64;2;FAIL
# Types of options that the real one cuts to 8 bits.
:INPUT
*filter
-m dst --dst-opts 256;2;FAIL
-m hbh --hbh-opts 1:256;2;FAIL
-m dst --dst-opts -1;2;FAIL
# The real one cuts these rates to what fits 32 bits.
:INPUT
*filter
-m rateest --rateest a --rateest-lt --rateest-bps 1tbit;2;FAIL
-m rateest --rateest a --rateest-lt --rateest-bps 4294967295bps;2;FAIL
# The real one saves the way twice, and then does not take it.
-m rateest --rateest a --rateest-lt --rateest-bps 8 --rateest-pps 2;2;FAIL
