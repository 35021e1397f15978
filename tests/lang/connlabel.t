:INPUT,FORWARD,OUTPUT
*filter
-m connlabel --label 3;-m connlabel --label "3";OK
-m connlabel --label 0;-m connlabel --label "0";OK
-m connlabel --label 127;-m connlabel --label "127";OK
-m connlabel --label 0x10;-m connlabel --label "16";OK
-m connlabel --label 010;-m connlabel --label "8";OK
-m connlabel ! --label 3;-m connlabel ! --label "3";OK
-m connlabel --label 3 --set;-m connlabel --label "3" --set;OK
-m connlabel --set --label 3;-m connlabel --label "3" --set;OK
-m connlabel ! --label 3 --set;-m connlabel ! --label "3" --set;OK
-m connlabel --label 3 --set -j DROP;-m connlabel --label "3" --set -j DROP;OK
# A connection has 128.
-m connlabel --label 128;1;FAIL
-m connlabel --label 65535;1;FAIL
-m connlabel --label -1;2;FAIL
-m connlabel --label 3x;2;FAIL
-m connlabel --label "";2;FAIL
-m connlabel --label nobody;2;FAIL
-m connlabel;2;FAIL
-m connlabel --set;2;FAIL
-m connlabel ! --set --label 3;2;FAIL
-m connlabel --label 3 --label 4;2;FAIL
-m connlabel --set --label 3 --set;2;FAIL
:PREROUTING,OUTPUT
*raw
-m connlabel --label 3;-m connlabel --label "3";OK
:PREROUTING,INPUT,OUTPUT,POSTROUTING
*nat
-m connlabel --label 3;-m connlabel --label "3";OK
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
*mangle
-m connlabel --label 3 --set;-m connlabel --label "3" --set;OK
