:INPUT,FORWARD
*filter
-p ipcomp -m ipcomp --ipcompspi 5;=;OK
-p ipcomp -m ipcomp ! --ipcompspi 5:10 -j DROP;=;OK
:INPUT
-p ipcomp -m ipcomp --ipcompspi 0:65535;=;OK
-p ipcomp -m ipcomp --ipcompspi 65536;=;OK
-p ipcomp -m ipcomp --ipcompspi 9:5;=;OK
-p ipcomp -m ipcomp --compres --ipcompspi 5;-p ipcomp -m ipcomp --ipcompspi 5 --compres;OK
# Without an index it is 0.
-p ipcomp -m ipcomp;-p ipcomp -m ipcomp --ipcompspi 0;OK
-p ipcomp -m ipcomp --compres;-p ipcomp -m ipcomp --ipcompspi 0 --compres;OK
-p ipcomp --ipcompspi 5;-p ipcomp -m ipcomp --ipcompspi 5;OK
-p 108 --ipcompspi 5;-p ipcomp -m ipcomp --ipcompspi 5;OK
-p ipcomp -m ipcomp --ipcompspi x;2;FAIL
-p ipcomp -m ipcomp --ipcompspi 1:2:3;2;FAIL
-p ipcomp -m ipcomp ! --compres;2;FAIL
-p ipcomp -m ipcomp --compres --compres;2;FAIL
-p ipcomp -m ipcomp --ipcompspi 1 --ipcompspi 1;2;FAIL
-m ipcomp --ipcompspi 5;1;FAIL
! -p ipcomp -m ipcomp --ipcompspi 5;1;FAIL
%ip6tables
-p ipcomp -m ipcomp --ipcompspi 5 --compres -j ACCEPT;=;OK
