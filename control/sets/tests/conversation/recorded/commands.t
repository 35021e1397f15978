# Commands, their names and abbreviations, and the options of the program.
$ version
1> ipset v7.17, protocol version: 7
$ -v
1> ipset v7.17, protocol version: 7
$ create a hash:ip
$ create a hash:ip
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ create a hash:ip -exist
$ -! create a hash:ip timeout 5
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ list a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1> Members:
$ list
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1> Members:
$ save
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ add a 1.2.3.4
$ add a 1.2.3.4
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add a 1.2.3.4 -!
$ test a 1.2.3.4
2> Warning: 1.2.3.4 is in set a.
$ test a 1.2.3.5
2> 1.2.3.5 is NOT in set a.
= 1
$ test a 1.2.3.5 -q
= 1
$ del a 1.2.3.5
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ del a 1.2.3.5 -exist
$ del a 1.2.3.4
$ add a 10.0.0.0/30
$ add a 10.0.0.7-10.0.0.9
$ add a 10.0.0.7-10.0.0.9
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ list a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 7
1> Members:
1> 10.0.0.0
1> 10.0.0.1
1> 10.0.0.2
1> 10.0.0.3
1> 10.0.0.7
1> 10.0.0.8
1> 10.0.0.9
$ list a -s
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 7
1> Members:
1> 10.0.0.0
1> 10.0.0.1
1> 10.0.0.2
1> 10.0.0.3
1> 10.0.0.7
1> 10.0.0.8
1> 10.0.0.9
$ list -n
1> a
$ list -t
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 7
$ list -o save
1> add a 10.0.0.0
1> add a 10.0.0.1
1> add a 10.0.0.2
1> add a 10.0.0.3
1> add a 10.0.0.7
1> add a 10.0.0.8
1> add a 10.0.0.9
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ list -o xml
1> <ipsets>
1> <ipset name="a">
1> <type>hash:ip</type>
1> <revision>6</revision>
1> <header><family>inet</family><hashsize>1024</hashsize><maxelem>65536</maxelem><bucketsize>12</bucketsize><initval>0x?</initval>
1> <memsize></memsize>
1> <references>0</references>
1> <numentries>7</numentries>
1> </header>
1> <members>
1> <member><elem>10.0.0.0</elem></member>
1> <member><elem>10.0.0.1</elem></member>
1> <member><elem>10.0.0.2</elem></member>
1> <member><elem>10.0.0.3</elem></member>
1> <member><elem>10.0.0.7</elem></member>
1> <member><elem>10.0.0.8</elem></member>
1> <member><elem>10.0.0.9</elem></member>
1> </members>
1> </ipset>
1> </ipsets>
$ list -o json
2> ipset v7.17: Syntax error: unknown output mode 'json'
= 1
$ save a -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 10.0.0.0
1> add a 10.0.0.1
1> add a 10.0.0.2
1> add a 10.0.0.3
1> add a 10.0.0.7
1> add a 10.0.0.8
1> add a 10.0.0.9
$ save a -n
1> add a 10.0.0.0
1> add a 10.0.0.1
1> add a 10.0.0.2
1> add a 10.0.0.3
1> add a 10.0.0.7
1> add a 10.0.0.8
1> add a 10.0.0.9
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ save a -t
1> add a 10.0.0.0
1> add a 10.0.0.1
1> add a 10.0.0.2
1> add a 10.0.0.3
1> add a 10.0.0.7
1> add a 10.0.0.8
1> add a 10.0.0.9
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ save -o plain a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 
1> References: 0
1> Number of entries: 7
1> Members:
1> 10.0.0.0
1> 10.0.0.1
1> 10.0.0.2
1> 10.0.0.3
1> 10.0.0.7
1> 10.0.0.8
1> 10.0.0.9
$ save -o xml a
1> <ipsets>
1> <ipset name="a">
1> <type>hash:ip</type>
1> <revision>6</revision>
1> <header><family>inet</family><hashsize>1024</hashsize><maxelem>65536</maxelem><bucketsize>12</bucketsize><initval>0x?</initval>
1> <memsize></memsize>
1> <references>0</references>
1> <numentries>7</numentries>
1> </header>
1> <members>
1> <member><elem>10.0.0.0</elem></member>
1> <member><elem>10.0.0.1</elem></member>
1> <member><elem>10.0.0.2</elem></member>
1> <member><elem>10.0.0.3</elem></member>
1> <member><elem>10.0.0.7</elem></member>
1> <member><elem>10.0.0.8</elem></member>
1> <member><elem>10.0.0.9</elem></member>
1> </members>
1> </ipset>
1> </ipsets>
$ list -o xml -t
1> <ipsets>
1> <ipset name="a">
1> <type>hash:ip</type>
1> <revision>6</revision>
1> <header><family>inet</family><hashsize>1024</hashsize><maxelem>65536</maxelem><bucketsize>12</bucketsize><initval>0x?</initval>
1> <memsize></memsize>
1> <references>0</references>
1> <numentries>7</numentries>
1> </header>
1> </ipset>
1> </ipsets>
$ list -o xml -n
1> <ipsets>
1> <ipset name="a"/>
1> </ipsets>
$ flush a
$ destroy a
$ destroy a
2> ipset v7.17: The set with the given name does not exist
= 1
$ list a
2> ipset v7.17: The set with the given name does not exist
= 1
$ list -o xml
1> <ipsets>
1> </ipsets>
$ create
2> ipset v7.17: Missing mandatory argument to command create
2> Try `ipset help' for more information.
= 2
$ create x
2> ipset v7.17: Missing second mandatory argument to command create
2> Try `ipset help' for more information.
= 2
$ create x nonsense
2> ipset v7.17: Syntax error: typename 'nonsense' is unknown
= 1
$ add
2> ipset v7.17: Missing mandatory argument to command add
2> Try `ipset help' for more information.
= 2
$ add x
2> ipset v7.17: Missing second mandatory argument to command add
2> Try `ipset help' for more information.
= 2
$ add nosuch 1.2.3.4
2> ipset v7.17: The set with the given name does not exist
= 1
$ del nosuch 1.2.3.4
2> ipset v7.17: The set with the given name does not exist
= 1
$ test nosuch 1.2.3.4
2> ipset v7.17: The set with the given name does not exist
= 1
$ foo
2> ipset v7.17: No command specified: unknown argument foo
2> Try `ipset help' for more information.
= 2
$ -N y hash:ip
$ -A y 1.1.1.1
$ -T y 1.1.1.1
2> Warning: 1.1.1.1 is in set y.
$ -D y 1.1.1.1
$ -E y z
$ -F z
$ -L -t z
1> Name: z
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ -S z
1> create z hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ -X z
$ -X
$ n y hash:ip
$ a y 1.1.1.1
$ d y 1.1.1.1
$ t y 1.1.1.1
2> 1.1.1.1 is NOT in set y.
= 1
$ l y
1> Name: y
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1> Members:
$ s y
1> create y hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ x y
$ c q1 hash:ip
$ cr q1 hash:ip
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ ne q1 hash:ip
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ -n q1
2> ipset v7.17: No command specified: unknown argument q1
2> Try `ipset help' for more information.
= 2
$ --create q2 hash:ip
$ -create q2 hash:ip
2> ipset v7.17: No command specified: unknown argument -create
2> Try `ipset help' for more information.
= 2
$ --add q1 1.1.1.1
$ v
1> ipset v7.17, protocol version: 7
$ -V
1> ipset v7.17, protocol version: 7
$ --version
1> ipset v7.17, protocol version: 7
$ q
$ quit
$ -Q
2> ipset v7.17: No command specified: unknown argument -Q
2> Try `ipset help' for more information.
= 2
$ e q1 q3
$ ren q3 q1
$ f
$ fl
$ des q1
$ de q1 1.1.1.1
2> ipset v7.17: The set with the given name does not exist
= 1
$ w a b
2> ipset v7.17: The set with the given name does not exist
= 1
$ sw a b
2> ipset v7.17: The set with the given name does not exist
= 1
$ l -n
1> q2
$ t
2> ipset v7.17: Missing mandatory argument to command test
2> Try `ipset help' for more information.
= 2
$ -L -ter
2> ipset v7.17: The set with the given name does not exist
= 1
$ -L --terse
1> Name: q2
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
$ -L -o
2> ipset v7.17: Missing mandatory argument to option -o
2> Try `ipset help' for more information.
= 2
$ -L -o foo
2> ipset v7.17: Syntax error: unknown output mode 'foo'
= 1
$ -o xml
2> ipset v7.17: No command specified.
2> Try `ipset help' for more information.
= 2
$ -q
= 2
$ -n
2> ipset v7.17: No command specified.
2> Try `ipset help' for more information.
= 2
$ -name list
1> q2
$ --exist create q2 hash:ip
$ create q2 hash:ip --exist
$ foo -q
= 2
$ list nosuch -q
= 1
$ -q list nosuch
= 1
$ -q test q2 1.1.1.1
= 1
$ -q add q2 1.1.1.1
$ -q test q2 1.1.1.1
$ create g hash:ip
$ version foo
1> ipset v7.17, protocol version: 7
$ list q2 g
2> ipset v7.17: Unknown argument g
2> Try `ipset help' for more information.
= 2
$ save q2 g
2> ipset v7.17: Unknown argument g
2> Try `ipset help' for more information.
= 2
$ destroy q2 g
2> ipset v7.17: Unknown argument g
2> Try `ipset help' for more information.
= 2
$ flush q2 g
2> ipset v7.17: Unknown argument g
2> Try `ipset help' for more information.
= 2
$ rename q2
2> ipset v7.17: Missing second mandatory argument to command rename
2> Try `ipset help' for more information.
= 2
$ rename q2 g
2> ipset v7.17: Set cannot be renamed: a set with the new name already exists
= 1
$ rename q2 nosuch xx
2> ipset v7.17: Unknown argument xx
2> Try `ipset help' for more information.
= 2
$ rename nosuch q2
2> ipset v7.17: The set with the given name does not exist
= 1
$ rename q2 q2
2> ipset v7.17: Set cannot be renamed: a set with the new name already exists
= 1
$ swap q2
2> ipset v7.17: Missing second mandatory argument to command swap
2> Try `ipset help' for more information.
= 2
$ swap q2 nosuch
2> ipset v7.17: Sets cannot be swapped: the second set does not exist
= 1
$ swap nosuch q2
2> ipset v7.17: The set with the given name does not exist
= 1
$ swap q2 q2
$ swap q2 g extra
2> ipset v7.17: Unknown argument extra
2> Try `ipset help' for more information.
= 2
$ swap q2 g
$ list
1> Name: g
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 256
1> References: 0
1> Number of entries: 1
1> Members:
1> 1.1.1.1
1>
1> Name: q2
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1> Members:
$ create n hash:net
$ swap q2 n
2> ipset v7.17: The sets cannot be swapped: their type does not match
= 1
$ rename g h
$ list -n
1> h
1> q2
1> n
$ create g hash:ip
$ list -n
1> h
1> q2
1> n
1> g
$ create aaaaaaaaaabbbbbbbbbbccccccccccdd hash:ip
2> ipset v7.17: Syntax error: setname 'aaaaaaaaaabbbbbbbbbbccccccccccdd' is longer than 31 characters
= 1
$ create aaaaaaaaaabbbbbbbbbbccccccccccd hash:ip
$ create zz hash:ip,foo,bar,foo,bar,foo,bar,foo,bar,foo
2> ipset v7.17: Syntax error: typename 'hash:ip,foo,bar,foo,bar,foo,bar,foo,bar,foo' is longer than 31 characters
= 1
$ add aaaaaaaaaabbbbbbbbbbccccccccccdd 1.1.1.1
2> ipset v7.17: Syntax error: setname 'aaaaaaaaaabbbbbbbbbbccccccccccdd' is longer than 31 characters
= 1
$ list aaaaaaaaaabbbbbbbbbbccccccccccdd
2> ipset v7.17: Syntax error: setname 'aaaaaaaaaabbbbbbbbbbccccccccccdd' is longer than 31 characters
= 1
$ rename g aaaaaaaaaabbbbbbbbbbccccccccccdd
2> ipset v7.17: Syntax error: setname 'aaaaaaaaaabbbbbbbbbbccccccccccdd' is longer than 31 characters
= 1
$ swap g aaaaaaaaaabbbbbbbbbbccccccccccdd
2> ipset v7.17: Syntax error: setname 'aaaaaaaaaabbbbbbbbbbccccccccccdd' is longer than 31 characters
= 1
$ restore foo
2> ipset v7.17: Unknown argument foo
2> Try `ipset help' for more information.
= 2
$ list g -f
2> ipset v7.17: Missing mandatory argument to option -f
2> Try `ipset help' for more information.
= 2
$ list g -f x -f y
2> ipset v7.17: -file option cannot be used when full io is activated
2> Try `ipset help' for more information.
= 2
$ flush nosuch
2> ipset v7.17: The set with the given name does not exist
= 1
$ destroy -q nosuch
= 1
$ -exist destroy nosuch
$ -exist flush nosuch
2> ipset v7.17: The set with the given name does not exist
= 1
$ -exist del g 9.9.9.9
$ -exist add g 1.1.1.1
$ -exist add g 1.1.1.1
$ -exist create g hash:net
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ -exist create g hash:ip maxelem 5
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ -exist create g hash:ip hashsize 64
$ -exist create g hash:ip comment
2> ipset v7.17: Set cannot be created: set with the same name already exists
= 1
$ -exist create g hash:ip family inet6
