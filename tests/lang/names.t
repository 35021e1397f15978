# What a listing without -n shows by a name of the host, or as the wildcard alone, we show as the number, or as "any".
:INPUT
*filter
-s 0.0.0.0;-s 0.0.0.0/32;OK
-s localhost;-s 127.0.0.1/32;OK
-i +;;OK
-m conntrack --ctorigsrc localhost/8;-m conntrack --ctorigsrc 127.0.0.1/8;OK
