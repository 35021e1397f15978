:POSTROUTING
*nat
-p udp -j MASQUERADE --fullcone;=;OK
-p udp -j MASQUERADE --to-ports 3000-4000 --random --fullcone;=;OK
-p udp -j SNAT --to-source 203.0.113.1 --fullcone;=;OK
-p udp -j SNAT --to-source 203.0.113.1-203.0.113.4:3000-4000 --persistent --fullcone;=;OK
-j MASQUERADE --fullcone;2;FAIL
-p tcp -j SNAT --to-source 203.0.113.1 --fullcone;2;FAIL
! -p udp -j MASQUERADE --fullcone;2;FAIL
-p udp -j NETMAP --to 203.0.113.0/24 --fullcone;2;FAIL
:PREROUTING
-p udp -j DNAT --to-destination 192.168.1.2 --fullcone;2;FAIL
-p udp -j REDIRECT --fullcone;2;FAIL
